/**
 * Usage that changed after it was billed: events that arrived late, and events that were voided. What was billed is
 * rated again with the quantity that it has now; the difference is an adjustment. Asking again finds nothing new.
 */

import type { PricingTerms } from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { differenceOf, isNegative, isZero, sumOf } from '../../platform/decimal-texts.ts';
import { defined } from '../../platform/defined.ts';
import type { NewId } from '../../platform/ids.ts';
import type { Currency } from '../../platform/money.ts';
import { type Period, toTextPeriod } from '../../platform/period/index.ts';
import { type Charge, chargeRepository, currencyOf, scheduleRepository } from '../charges/index.ts';
import {
  billedTerms,
  followsCharges,
  isBilled,
  isLineLetOff,
  isMissing,
  isTakenBack,
  type LineOfCharge,
  lineRepository,
  netOf,
  rateLine,
  readUsages,
} from '../invoice-records/index.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { againstLetOff, letOffOf, withoutQuantities } from './let-off.ts';
import { costOfParts, differInPrice, partsBefore, partsOf, upToParts } from './parts.ts';
import { USAGE_REASON_NAMES, type UsageReason, usageReason } from './reason.ts';
import { adjustmentRepository } from './repository.ts';
import type { Adjustment } from './types.ts';
import { isInForce } from './withdraw.ts';

/** What was billed of a charge. */
interface Counted {
  billed: Period;
  lines: readonly LineOfCharge[];
  earlier: readonly Adjustment[];
  /** What of adjustments nobody is billed for, signed. */
  letOff: Decimal;
  /** The last one that stands: it has what a person has set. */
  line: LineOfCharge;
  /** Only then anything can be given back. */
  isPaidFor: boolean;
  before: string;
  /** Moment at which that was read last. */
  sinceSnapshot: string | undefined;
}

/** What was billed of a charge, and the quantity that it counts now. */
interface Recount {
  known: Counted;
  after: string;
  /** Of the parts, where their prices differ. */
  partsAfter: readonly string[] | undefined;
  reason: UsageReason;
  /** Moment at which that was read. */
  snapshot: string | undefined;
}

/**
 * Looks at one charge again.
 * @returns the adjustments that were made; none when nothing has changed, or when the charge is still being billed
 */
async function correctUsage(deps: AdjustmentsDeps, scope: CustomerScope, chargeId: string): Promise<Adjustment[]> {
  const charge = await chargeRepository(scope).byId(chargeId);
  const found = charge && (await countAgain(deps, scope, charge, await lineRepository(scope).ofCharge(charge.id)));
  if (charge === undefined || found === undefined) return [];
  return scope.transaction(async (scope) => {
    const now = await countedSoFar(scope, charge, await lineRepository(scope).ofCharge(charge.id));
    if (now?.billed.toMs !== found.known.billed.toMs || now.before !== found.known.before) return [];
    const adjustments = await adjustmentsOf(deps, scope, charge, { ...found, known: now });
    await adjustmentRepository(scope).store(adjustments);
    return adjustments;
  });
}

/** The adjustments that a look at one charge would make if its lines were these. Nothing is stored. */
export async function recountCharge(
  deps: AdjustmentsDeps,
  scope: CustomerScope,
  charge: Charge,
  lines: readonly LineOfCharge[],
): Promise<Adjustment[]> {
  const found = await countAgain(deps, scope, charge, lines);
  return found === undefined ? [] : adjustmentsOf(deps, scope, charge, found);
}

/** Reads the usage of what is billed. Not within a transaction, which would hold up everybody else. */
async function countAgain(
  deps: AdjustmentsDeps,
  scope: CustomerScope,
  charge: Charge,
  lines: readonly LineOfCharge[],
): Promise<Recount | undefined> {
  // While a period is billed in parts, the next part counts what has arrived late in those before it.
  if (charge.state !== 'billed' || charge.amount !== undefined) return undefined;
  const known = await countedSoFar(scope, charge, lines);
  if (known === undefined) return undefined;
  const { billed, line, before, sinceSnapshot } = known;
  // In one reading, so that the parts are those of the whole.
  const ends = differInPrice(known.lines) ? upToParts(known.lines, billed) : [];
  const { featureId, name } = line;
  const asked = [billed, ...ends].map((period) => ({ featureId, name, period }));
  const [measured, ...atEnds] = await readUsages(deps, scope, charge.customerId, asked);
  if (measured === undefined || isMissing(measured)) return undefined;
  const { value: after, snapshot } = measured;
  if (isZero(differenceOf(after, before))) return undefined;
  const named = { ...line, customerId: charge.customerId };
  const reason = await usageReason(deps, scope, named, billed, { before, after, since: sinceSnapshot });
  const values = atEnds.flatMap((one) => (isMissing(one) ? [] : one.value));
  return { known, after, partsAfter: values.length > 0 ? partsOf(values) : undefined, reason, snapshot };
}

/**
 * What lines and adjustments have come to so far; undefined when there is nothing to look at.
 * @param all lines of the charge, those of deleted and void invoices included
 */
async function countedSoFar(
  scope: CustomerScope,
  charge: Charge,
  all: readonly LineOfCharge[],
): Promise<Counted | undefined> {
  const lines = all.filter((line) => line.kind === 'charge' && !isTakenBack(line));
  const billed = billedPeriod(charge, lines);
  // What was let off is counted with the parts that stand; by itself there is nothing to look at.
  const standing = lines.filter((one) => !isLineLetOff(one));
  const line = standing.at(-1);
  if (billed === undefined || line === undefined) return undefined;
  const earlier = (await adjustmentRepository(scope).ofCharge(charge.id)).filter(isInForce);
  const own = earlier.filter(({ reason }) => reason !== 'carried_over');
  const sinceSnapshot = own.findLast((one) => one.snapshot !== undefined)?.snapshot ?? line.snapshot;
  const before = countedBefore(lines, earlier);
  // A credit that is charged back is no difference in usage.
  const letOff = letOffOf(earlier.filter(({ reason }) => reason !== 'credit_without_payment'));
  return { billed, line, lines, earlier: own, letOff, isPaidFor: standing.every(isBilled), before, sinceSnapshot };
}

/** The part of the charge that is billed for good. undefined while a part of it is on a draft, which counts for itself. */
function billedPeriod(charge: Charge, lines: readonly LineOfCharge[]): Period | undefined {
  if (lines.length === 0) return undefined;
  const isOpen = lines.some((line) => line.quantity === undefined || followsCharges(line.invoiceStatus));
  if (isOpen) return undefined;
  // A part may have been billed beyond an end that was not known then: what is used there, this charge does not owe.
  const billedToMs = Math.max(...lines.map((line) => line.servicePeriod.toMs));
  return {
    fromMs: Math.min(...lines.map((line) => line.fullServicePeriod.fromMs)),
    toMs: lines.some(hasOwnPeriod) ? billedToMs : Math.min(billedToMs, charge.servicePeriod.toMs),
  };
}

function hasOwnPeriod({ overrides }: LineOfCharge): boolean {
  return overrides?.fields.includes('period') === true;
}

/** The quantity that lines and adjustments have come to so far. */
function countedBefore(lines: readonly LineOfCharge[], earlier: readonly Adjustment[]): string {
  const own = earlier.filter(({ reason, quantityAfter }) => reason !== 'carried_over' && quantityAfter !== undefined);
  const changes = own.map(({ quantityAfter, quantityBefore }) =>
    differenceOf(quantityAfter ?? '0', quantityBefore ?? '0'),
  );
  return sumOf([...lines.map((line) => line.quantity ?? '0'), ...changes]);
}

/** None when nothing can be given back. */
async function adjustmentsOf(
  deps: AdjustmentsDeps,
  scope: CustomerScope,
  charge: Charge,
  recount: Recount,
): Promise<Adjustment[]> {
  const { isPaidFor, letOff } = recount.known;
  const amount = costOfDifference(charge, recount, await currencyOf(deps, charge.currency, scope), scope.newId);
  if (isNegative(amount) && !isPaidFor) return [];
  const { adjustments } = await deps.profileOf(charge.customerId, scope);
  const adjustment = differenceIn(scope, charge, recount, amount);
  const split = againstLetOff(letOff, new Decimal(amount));
  // A difference that costs nothing (free units, the middle of a package) is known, and on no invoice.
  if (adjustments.late_usage === 'report' || split.rest.isZero()) return [{ ...adjustment, state: 'reported' }];
  const billed = { ...adjustment, amount: formatDecimal(split.rest) };
  if (split.letOff.isZero()) return [billed];
  const taken = { ...adjustment, id: scope.newId(), amount: formatDecimal(split.letOff) };
  return [billed, withoutQuantities(taken)];
}

function differenceIn(scope: CustomerScope, charge: Charge, recount: Recount, amount: string): Adjustment {
  const { known, after, partsAfter, reason, snapshot } = recount;
  const { billed, line, before, sinceSnapshot } = known;
  const text = toTextPeriod(billed);
  return {
    id: scope.newId(),
    customerId: charge.customerId,
    currency: charge.currency,
    chargeId: charge.id,
    reason,
    name: `${line.name}: ${USAGE_REASON_NAMES[reason]}`,
    description: `${text.from} to ${text.to} was billed with a quantity of ${before}; it is ${after} now.`,
    amount,
    quantityBefore: before,
    quantityAfter: after,
    ...defined({ partsAfter, sinceSnapshot, snapshot, taxConfig: line.taxConfig }),
    period: billed,
    state: 'pending',
    createdAtMs: scope.clock.nowMs(),
  };
}

/** What is owed more, or less, than before. */
function costOfDifference(
  charge: Charge,
  { known, after, partsAfter }: Recount,
  currency: Currency,
  newId: NewId,
): string {
  const { billed, line, lines, earlier, before } = known;
  if (partsAfter !== undefined) {
    const costOf = (parts: readonly string[]) => costOfParts(lines, parts, { charge, currency, newId });
    return differenceOf(costOf(partsAfter), costOf(partsBefore(lines, earlier, before)));
  }
  const terms = billedTerms(line, charge, charge.terms, currency);
  const costOf = (quantity: string) => costOfQuantity(line.name, { terms, billed, quantity, currency, newId });
  return differenceOf(costOf(after), costOf(before));
}

/** What a quantity costs. */
function costOfQuantity(
  name: string,
  of: { terms: PricingTerms; billed: Period; quantity: string; currency: Currency; newId: NewId },
): string {
  const line = {
    name,
    terms: of.terms,
    quantity: of.quantity,
    servicePeriod: of.billed,
    fullServicePeriod: of.billed,
    splitPosition: 'single' as const,
    previousQuantity: '0',
    previouslyBilledAmount: '0',
  };
  return netOf({ rated: rateLine(line, of.currency, of.newId) });
}

/**
 * Usage is looked at again for this long after its invoice was issued: three invoices of a monthly plan. Without an end
 * each look would read everything that was ever billed.
 */
export const LOOK_BACK_MS = 100 * 86_400_000;

/** What a look at everything billed lately has come to. */
export interface Recounted {
  readonly made: readonly Adjustment[];
  /** Charges that could not be looked at, and why: those are tried again, and hold up nothing else. */
  readonly failed: readonly { readonly chargeId: string; readonly error: unknown }[];
}

/**
 * Looks again at what was billed lately: at what was recent when this was last done on schedule, so that what arrived
 * on the last of its days is found by a look on the day after, too. Does not fail for a charge that cannot be counted: what
 * is to be billed now must not wait for what has been billed already.
 */
export async function correctUsageOfCustomer(
  deps: AdjustmentsDeps,
  scope: CustomerScope,
  customerId: string,
): Promise<Recounted> {
  const { recountedAtMs = LOOK_BACK_MS } = await scheduleRepository(scope).last(customerId);
  const sinceMs = Math.min(recountedAtMs, scope.clock.nowMs()) - LOOK_BACK_MS;
  const made: Adjustment[] = [];
  const failed: { chargeId: string; error: unknown }[] = [];
  for (const charge of await chargeRepository(scope).issuedSince(customerId, sinceMs)) {
    try {
      made.push(...(await correctUsage(deps, scope, charge.id)));
    } catch (error) {
      failed.push({ chargeId: charge.id, error });
    }
  }
  return { made, failed };
}
