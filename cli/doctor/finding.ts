/** What the doctor says. */
export interface Finding {
  level: "ok" | "warning" | "error";
  /** The plugin, and the proxy if it is about one. */
  place: string;
  text: string;
  /** What to do next, where there is something to do. */
  next?: string;
}

export type Add = (level: Finding["level"], text: string, next?: string) => void;

/** Gives what adds findings about one place. */
export function adder(findings: Finding[], place: string): Add {
  return (level, text, next) => findings.push({ level, place, text, ...(next !== undefined && { next }) });
}
