/** More than a batch has unless events between its own were lost one by one; a header of 3 KB passes every proxy. */
export const MAX_RANGES = 100;
const MAX_REASONS = 50;
/** What the header can carry; see {@link reasonsOf}. */
const REASON = /^[a-z][a-z0-9_]{0,63}$/;
const OTHER = 'other';

/** Who took events and numbered them from 1 without gaps, so that whoever receives them sees what is missing. */
export interface Numbered {
  /** The sender, as its operator calls it. */
  readonly node: string;
  /** One series of numbers; unique. */
  readonly process: string;
  /** The highest number given so far. */
  readonly taken: number;
  /** What was dropped so far, by reason. */
  dropped(): Readonly<Record<string, number>>;
}

/**
 * What a batch says about itself and its sender, for a backend that keeps a ledger of its sources. Others ignore it.
 * `numbers` are those of the batch, in its order; they have at most {@link MAX_RANGES} runs.
 */
export function numberingHeaders(sender: Numbered, numbers: readonly number[]): Record<string, string> {
  const sequence = rangesOf(numbers);
  const dropped = reasonsOf(sender.dropped());
  return {
    'metering-node': sender.node,
    'metering-process': sender.process,
    ...(sequence !== '' && { 'metering-sequence': sequence }),
    'metering-taken': String(sender.taken),
    ...(dropped !== '' && { 'metering-dropped': dropped }),
  };
}

/** Whether `next` continues the run that `before` belongs to. */
export function continuesRun(before: number, next: number): boolean {
  return next === before + 1;
}

function rangesOf(numbers: readonly number[]): string {
  const ranges: string[] = [];
  for (let from = 0; from < numbers.length; ) {
    let until = from;
    while (until + 1 < numbers.length && continuesRun(numbers[until] ?? 0, numbers[until + 1] ?? 0)) until++;
    ranges.push(until === from ? `${numbers[from]}` : `${numbers[from]}-${numbers[until]}`);
    from = until + 1;
  }
  return ranges.join(',');
}

/** "queue_full=3,no_subject=1". Reasons that are no plain words, and the rarest of too many, are counted as "other". */
export function reasonsOf(counted: Readonly<Record<string, number>>): string {
  const counts = Object.entries(counted).toSorted(([, a], [, b]) => b - a);
  const isNamed = ([reason]: [string, number], index: number) =>
    reason !== OTHER && index < MAX_REASONS - 1 && REASON.test(reason);
  const named = counts.filter(isNamed);
  const other = counts.filter((entry, index) => !isNamed(entry, index)).reduce((sum, [, count]) => sum + count, 0);
  if (other > 0) named.push([OTHER, other]);
  return named.map(([reason, count]) => `${reason}=${count}`).join(',');
}
