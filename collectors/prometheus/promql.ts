/** What stands in square brackets behind a selector or an expression: `[5m]`, `[5m:30s]`, `[$interval]`. */
interface Range {
  /** Its span as it stands; of a subquery what stands before the colon. */
  readonly span: string;
}

const INTERVAL = '$interval';
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** A piece of an expression: code, or a text in quotes, a comment or a name in braces, in which nothing is looked for. */
const PIECES = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|[^"'`#]+|["'`]/gs;

/** Puts in for `$interval`, wherever it is no part of a text, the span between two ticks. */
export function withInterval(promql: string, intervalMs: number): string {
  return eachCode(promql, (code) => code.replaceAll(INTERVAL, durationOf(intervalMs)));
}

/** Whether it looks at a span of time, or at one instant only. */
export function hasRange(promql: string): boolean {
  return rangesOf(promql).length > 0;
}

/** Spans that are written out, in milliseconds; one that cannot be read is NaN. `$interval` is always right, and left out. */
export function writtenRangesMs(promql: string): readonly number[] {
  return rangesOf(promql)
    .filter(({ span }) => span !== INTERVAL)
    .map(({ span }) => millisecondsOf(span));
}

/** As Prometheus reads it: whole seconds where it is such. */
export function durationOf(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** A text as a label matcher has it between double quotes. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** A text in a regular expression of a matcher (RE2) that stands for itself. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** `name`, `name{…}` or `{…}` and nothing behind it: what a range can be put behind. */
export function isPlainSelector(text: string): boolean {
  const bare = text.trim().replaceAll(PIECES, (piece) => (/^["'`]/.test(piece) && piece.length > 1 ? '""' : piece));
  return /^(?:[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{[^{}[\]()#]*\})?|\{[^{}[\]()#]+\})$/.test(bare);
}

function eachCode(promql: string, change: (code: string) => string): string {
  return promql.replaceAll(PIECES, (piece) => (/^["'`#]/.test(piece) ? piece : change(piece)));
}

function rangesOf(promql: string): readonly Range[] {
  const code = promql.replaceAll(PIECES, (piece) => (/^["'`#]/.test(piece) ? ' ' : piece));
  return [...code.matchAll(/\[([^\]:]*)(?::[^\]]*)?\]/g)].map(([, span = '']) => ({ span: span.trim() }));
}

function millisecondsOf(span: string): number {
  if (!/^(?:\d{1,9}(?:ms|[smhdwy]))+$/.test(span)) return Number.NaN;
  let ms = 0;
  for (const [, count = '', unit = ''] of span.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    ms += Number.parseInt(count, 10) * (UNITS_MS[unit] ?? Number.NaN);
  }
  return ms;
}
