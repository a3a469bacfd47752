import type { Reading } from "./readings.ts";

/** Colours of what is no bar, and what they turn into on a dark page. */
const DARK: Readonly<Record<string, string>> = {
  "#24292f": "#d1d7e0", // text
  "#57606a": "#9198a1", // quiet text
  "#d0d7de": "#3d444d", // grid
  "#1f2328": "#f0f6fc", // spreads, and the line at 1
};
const [TEXT, QUIET, GRID, STRONG] = Object.keys(DARK);

/** Bars for everybody: neither too light on white nor too dark on black. */
const BARS = ["#4a90d9", "#d9822b", "#3c9d6b", "#9b6fd0"];

/** A Vega-Lite specification: bars that start at 1 on a logarithmic axis, with quartiles. */
export function chartOf(title: string, subtitle: string, readings: readonly Reading[]): object {
  const values = readings.map(({ label, series, ratio: { lower, median, upper } }) => ({
    label,
    series,
    lower,
    median,
    upper,
  }));
  const side = { field: "series", type: "nominal", sort: null };
  const rows = { field: "label", type: "nominal", sort: null, title: null };
  const axis = { labelColor: TEXT, titleColor: TEXT, domain: false, ticks: false };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: null,
    padding: 8,
    width: 440,
    height: { step: 11 },
    title: {
      text: title,
      subtitle,
      anchor: "start",
      color: TEXT,
      subtitleColor: QUIET,
      offset: 12,
    },
    config: { font: "system-ui, sans-serif", view: { stroke: null } },
    data: { values },
    encoding: {
      y: { ...rows, axis: { ...axis, labelLimit: 260, labelPadding: 8 } },
      yOffset: side,
    },
    layer: [
      {
        mark: "bar",
        encoding: {
          x: {
            field: "median",
            type: "quantitative",
            scale: { type: "log", base: 2 },
            axis: { ...axis, gridColor: GRID, format: "~r", tickCount: 8 },
            title: "ratio: median, quartiles (more is better)",
          },
          x2: { datum: 1 },
          color: {
            ...side,
            scale: { range: BARS },
            legend: { title: null, orient: "bottom", labelColor: TEXT },
          },
        },
      },
      {
        mark: { type: "rule", color: STRONG, strokeWidth: 1 },
        encoding: { x: { field: "lower", type: "quantitative" }, x2: { field: "upper" } },
      },
      {
        data: { values: [{}] }, // one line, not one for each bar
        mark: { type: "rule", color: STRONG, strokeWidth: 1.5 },
        encoding: { x: { datum: 1 }, y: null, yOffset: null },
      },
    ],
  };
}

/** The picture with colours that follow the page's: light or dark. */
export function followPage(svg: string): string {
  const rules = Object.entries(DARK).map(([light, dark]) =>
    `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`
  );
  const style = `<style>@media (prefers-color-scheme: dark){${rules.join("")}}</style>`;
  return svg.replace(/<svg[^>]*>/, (tag) => `${tag}${style}`);
}
