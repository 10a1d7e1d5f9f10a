/** Figures as tables for people. */
import type { Row } from "./measure.ts";
import type { Judged } from "./targets.ts";

function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

/** A line for each work and metric, a column for each contestant; where there is a base, what it is a multiple of. */
export function tableOf(rows: Row[]): string {
  const configs = [...new Set(rows.map(({ config }) => config))];
  const kinds = [...new Set(rows.map(({ work, metric, unit }) => `${work}\t${metric}\t${unit}`))];
  const lines = [["work", "metric", ...configs]];
  for (const kind of kinds) {
    const [work = "", metric = "", unit = ""] = kind.split("\t");
    const cells = configs.map((config) => {
      const row = rows.find((candidate) => candidate.config === config && candidate.work === work && candidate.metric === metric);
      if (!row) return "";
      return `${figure(row.value)}${row.ratio_to_bare === null ? "" : ` (x${row.ratio_to_bare.toFixed(2)})`}`;
    });
    lines.push([work, unit === "" ? metric : `${metric}, ${unit}`, ...cells]);
  }
  return aligned(lines);
}

/** A line for each target: what was wanted, what was found, and by how much it was missed. */
export function verdictOf(judged: Judged[]): string {
  const lines = judged.map(({ target, limit, found, unit, met }) => [
    target,
    `<= ${limit} ${unit}`,
    `${figure(found)} ${unit}`,
    met ? "met" : `missed: ${(found / limit).toFixed(2)} times the target`,
  ]);
  return aligned([["target", "wanted", "found", ""], ...lines]);
}

/** Pads columns: the first one to the right, the others to the left. */
export function aligned(lines: string[][]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((cells) => (cells[i] ?? "").length)));
  return lines.map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")).join("\n");
}
