import { chargesFee, chargesNothing, invoiceAtMs } from '../../catalog/rating/index.ts';
import {
  boundaryIndexAt,
  boundaryMs,
  durationFrom,
  type Period,
  recurrence,
  truncateMs,
  truncateToSeconds,
} from '../../platform/period/index.ts';
import { billingPeriodWithin } from './billing-period.ts';
import type { ItemView, PhaseView, SubscriptionView } from './view.ts';

/** What is to be charged for one item in one period. Instants are whole seconds. */
export interface SubscriptionLine {
  /** `{subscription}/{phase}/{item}/v[{version}]/period[{index}]`, without the period for one-time fees. */
  identity: string;
  phaseKey: string;
  itemKey: string;
  /** The item that was in force when the period began. */
  item: ItemView;
  /** When the service is given: the full period cut to the item. A single instant for a one-time fee without an end. */
  servicePeriod: Period;
  /** What it would be if the item lasted: flat fees are charged for the part of it that is served. */
  fullServicePeriod: Period;
  /** The period whose invoice the line belongs to. */
  billingPeriod: Period;
  /** The earliest instant at which it may be invoiced. */
  invoiceAtMs: number;
}

/** Items whose fee runs on from one to the next. */
interface Run {
  lineIdentity: string;
  items: readonly ItemView[];
  fromMs: number;
  toMs: number | undefined;
}

/** Which lines are wanted. */
export interface LineRange {
  /** Lines that may be invoiced in this second or before. */
  untilMs: number;
  /** Lines whose service ends at this instant or before it are left out; default: none. */
  sinceMs?: number;
}

/**
 * The lines of a subscription. Which lines there are, and what they are called, depends on what was agreed alone:
 * asking again, or for a longer time, gives the same lines and more. Items without a price have none.
 * Source of the rules: OpenMeter, openmeter/billing/worker/subscriptionsync/service/targetstate/phaseiterator.go.
 */
export function subscriptionLines(view: SubscriptionView, range: LineRange): SubscriptionLine[] {
  return [...linesOfCards(view, range)].flat();
}

/** The same card by card, for who does something in between. */
export function* linesOfCards(
  view: SubscriptionView,
  { untilMs, sinceMs }: LineRange,
): Generator<readonly SubscriptionLine[]> {
  // Lines are cut to whole seconds, so the last second counts as a whole.
  const horizonMs = truncateMs(untilMs, 1000) + 999;
  for (const phase of view.phases) {
    for (const run of runsOf(phase)) {
      const { rateCard } = run.items[0] as ItemView;
      if (chargesNothing(rateCard.terms.price)) continue;
      const lines =
        rateCard.billingCadence === undefined
          ? [oneTimeLine(view, phase, run)]
          : recurringLines(view, phase, run, horizonMs, sinceMs);
      yield lines
        .filter(
          (line) =>
            line.invoiceAtMs <= horizonMs &&
            (sinceMs === undefined ||
              line.servicePeriod.toMs > sinceMs ||
              line.servicePeriod.fromMs === line.servicePeriod.toMs),
        )
        .map(truncated)
        .filter((line) => line.servicePeriod.fromMs < line.servicePeriod.toMs || chargesFee(rateCard.terms.price));
    }
  }
}

function runsOf(phase: PhaseView): Run[] {
  const byIdentity = Map.groupBy(phase.items, (item) => item.lineIdentity);
  return [...byIdentity].map(([lineIdentity, items]) => ({
    lineIdentity,
    items,
    fromMs: (items[0] as ItemView).fromMs,
    toMs: (items.at(-1) as ItemView).toMs,
  }));
}

function recurringLines(
  view: SubscriptionView,
  phase: PhaseView,
  run: Run,
  horizonMs: number,
  sinceMs: number | undefined,
): SubscriptionLine[] {
  const item = run.items[0] as ItemView;
  const recurring = recurrence(view.billingAnchorMs, durationFrom(item.rateCard.billingCadence ?? ''));
  const first = boundaryIndexAt(recurring, run.fromMs);
  const lines: SubscriptionLine[] = [];
  // Going back one period more than asked for, as cutting to seconds may move its end.
  let n = sinceMs === undefined ? first : Math.max(first, boundaryIndexAt(recurring, sinceMs) - 1);
  for (;;) {
    const fullServicePeriod = { fromMs: boundaryMs(recurring, n), toMs: boundaryMs(recurring, n + 1) };
    const fromMs = Math.max(fullServicePeriod.fromMs, run.fromMs);
    const toMs = Math.min(fullServicePeriod.toMs, run.toMs ?? Number.POSITIVE_INFINITY);
    if (toMs <= fromMs) return lines;
    const line = lineOf(view, phase, run, { fromMs, toMs }, fullServicePeriod, n - first);
    if (line.invoiceAtMs > horizonMs) return lines;
    lines.push(line);
    n += 1;
  }
}

function oneTimeLine(view: SubscriptionView, phase: PhaseView, run: Run): SubscriptionLine {
  const { fromMs } = run;
  const fullServicePeriod = { fromMs, toMs: phase.toMs ?? run.toMs ?? fromMs };
  const toMs = Math.min(fullServicePeriod.toMs, run.toMs ?? Number.POSITIVE_INFINITY);
  return lineOf(view, phase, run, { fromMs, toMs }, fullServicePeriod);
}

function lineOf(
  view: SubscriptionView,
  phase: PhaseView,
  run: Run,
  servicePeriod: Period,
  fullServicePeriod: Period,
  index?: number,
): SubscriptionLine {
  const billingPeriod = billingPeriodWithin(view, phase, servicePeriod.fromMs);
  if (billingPeriod === undefined) throw new Error(`${run.lineIdentity} is charged outside its phase`);
  const item =
    run.items.findLast((candidate) => candidate.fromMs <= servicePeriod.fromMs) ?? (run.items[0] as ItemView);
  return {
    identity: index === undefined ? run.lineIdentity : `${run.lineIdentity}/period[${index}]`,
    phaseKey: phase.key,
    itemKey: item.itemKey,
    item,
    servicePeriod,
    fullServicePeriod,
    billingPeriod,
    invoiceAtMs: invoiceAtMs(item.rateCard.terms, servicePeriod, billingPeriod),
  };
}

function truncated(line: SubscriptionLine): SubscriptionLine {
  return {
    ...line,
    servicePeriod: truncateToSeconds(line.servicePeriod),
    fullServicePeriod: truncateToSeconds(line.fullServicePeriod),
    billingPeriod: truncateToSeconds(line.billingPeriod),
    invoiceAtMs: truncateMs(line.invoiceAtMs, 1000),
  };
}
