/** The figures of a run as a picture: what each contestant adds to its proxy, for each work. */
import { writeFile } from "node:fs/promises";
import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Contestant } from "./contestants.ts";
import type { Row } from "./measure.ts";

/** Writes an SVG file. The scale is logarithmic, since contestants differ by orders of magnitude. */
export async function plot(file: string, rows: Row[], contestants: Contestant[], works: string[]): Promise<void> {
  echarts.use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
  const median = (work: string, config: string): number =>
    rows.find((row) => row.work === work && row.config === config && row.metric === "median")?.value ?? Number.NaN;
  const shown = contestants.filter(({ name, base }) => name !== base && name !== "bailey-2000");
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 860, height: 420 });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: "Added to the median latency of the proxy, microseconds", left: "center", textStyle: { fontSize: 15 } },
    legend: { bottom: 0 },
    grid: { left: 60, right: 20, top: 50, bottom: 70 },
    xAxis: { type: "category", data: works },
    yAxis: { type: "log", min: 10 },
    series: shown.map(({ name, base }) => ({
      name,
      type: "bar",
      label: { show: true, position: "top", fontSize: 10 },
      data: works.map((work) => Math.max(1, Math.round(median(work, name) - median(work, base)))),
    })),
  });
  await writeFile(file, `${chart.renderToSVGString()}\n`);
  chart.dispose();
}
