/** Labels of a sample. */
export type Labels = Readonly<Record<string, string>>;

/** Samples of one name. */
export interface MetricFamily {
  /** The name; a counter's ends in `_total`. */
  readonly name: string;
  /** What goes up only is a counter. */
  readonly type: "gauge" | "counter";
  /** What it says, in one line. */
  readonly help: string;
  /** The values, each with its labels. */
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

/** The media type of what {@linkcode encodeMetrics} gives. */
export const METRICS_TYPE: string = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus' text format, version 0.0.4; families without samples are left out. */
export function encodeMetrics(families: readonly MetricFamily[]): string {
  return families.filter(({ samples }) => samples.length > 0).map(encodeFamily).join("");
}

function encodeFamily({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.map(([labels, value]) =>
    `${name}${encodeLabels(labels)} ${encodeValue(value)}\n`
  );
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function encodeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function encodeValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
