import type { Origin } from './origin.ts';
import { type AccountReport, METERED } from './served/account.ts';

/** More than a batch has unless events between its own were lost one by one; a header of 3 KB passes every proxy. */
export const MAX_RANGES = 100;
const MAX_REASONS = 50;
/** What the header can carry; see {@link reasonsOf}. */
const REASON = /^[a-z][a-z0-9_]{0,63}$/;
const OTHER = 'other';

/** What every request says: refuse single events, if you can, and store the others (RFC 7240). */
export const LENIENT = { prefer: 'handling=lenient' } as const;

/**
 * What a batch says about itself and its process, for a backend that keeps the ledger of gateway nodes. Others ignore
 * it. `numbers` are those of the batch, in its order; they have at most {@link MAX_RANGES} runs.
 */
export function deliveryHeaders(origin: Origin, numbers: readonly number[]): Record<string, string> {
  const sequence = rangesOf(numbers);
  const dropped = reasonsOf(origin.dropped());
  return {
    'metering-node': origin.node,
    'metering-process': origin.process,
    ...(sequence !== '' && { 'metering-sequence': sequence }),
    'metering-taken': String(origin.taken),
    ...(dropped !== '' && { 'metering-dropped': dropped }),
    ...(origin.account !== undefined && accountHeaders(origin.account)),
  };
}

/** Sums, not what is new: one that is lost, or arrives twice or late, does no harm. */
function accountHeaders({ id, revision, served, outcomes, unexplained }: AccountReport): Record<string, string> {
  const { [METERED]: metered = 0, ...notMetered } = outcomes;
  const reasons = reasonsOf(notMetered);
  return {
    'metering-account': `${id} ${revision}`,
    'metering-requests-served': String(served),
    'metering-requests-metered': String(metered),
    'metering-requests-unexplained': String(unexplained),
    ...(reasons !== '' && { 'metering-requests-not-metered': reasons }),
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
function reasonsOf(dropped: Readonly<Record<string, number>>): string {
  const counts = Object.entries(dropped).toSorted(([, a], [, b]) => b - a);
  const isNamed = ([reason]: [string, number], index: number) =>
    reason !== OTHER && index < MAX_REASONS - 1 && REASON.test(reason);
  const named = counts.filter(isNamed);
  const other = counts.filter((entry, index) => !isNamed(entry, index)).reduce((sum, [, count]) => sum + count, 0);
  if (other > 0) named.push([OTHER, other]);
  return named.map(([reason, count]) => `${reason}=${count}`).join(',');
}
