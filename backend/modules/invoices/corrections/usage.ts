/**
 * Usage that changed after it was billed: events that arrived late, and events that were voided. What was billed is
 * rated again with the quantity that it has now; the difference is a correction. Asking again finds nothing new.
 */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { defined } from '../../../platform/defined.ts';
import type { NewId } from '../../../platform/ids.ts';
import type { Currency } from '../../../platform/money.ts';
import type { Period } from '../../../platform/period/index.ts';
import type { PricingTerms } from '../../rating/index.ts';
import { isBilled, isTakenBack } from '../charges/billed-lines.ts';
import { billedTerms } from '../charges/follow.ts';
import { chargeRepository } from '../charges/repository.ts';
import { scheduleRepository } from '../charges/schedule/repository.ts';
import { toTextPeriod } from '../charges/wanted.ts';
import type { InvoicesDeps } from '../deps.ts';
import { followsCharges } from '../lifecycle/states.ts';
import { type LineOfCharge, lineRepository } from '../lines/repository.ts';
import { currencyOf, differenceOf, isNegative, isZero, sumOf } from '../money.ts';
import { netOf, rateLine } from '../rate-line.ts';
import type { Charge, Correction } from '../types.ts';
import { isMissing, readUsage } from '../usage.ts';
import { USAGE_REASON_NAMES, type UsageReason, usageReason } from './reason.ts';
import { correctionRepository } from './repository.ts';
import { isInForce } from './withdraw.ts';

/** What was billed of a charge, and the quantity that it counts now. */
interface Recount {
  billed: Period;
  /** The last one: it has what a person has set. */
  line: LineOfCharge;
  /** Only then anything can be given back. */
  isPaidFor: boolean;
  before: string;
  after: string;
  reason: UsageReason;
  /** Moments at which the two were read. */
  sinceSnapshot?: string;
  snapshot?: string;
}

/**
 * Looks at one charge again.
 * @returns the correction that was made; undefined when nothing has changed, or when the charge is still being billed
 */
export async function correctUsage(deps: InvoicesDeps, chargeId: string): Promise<Correction | undefined> {
  const charge = await chargeRepository(deps.db).byId(chargeId);
  // While a period is billed in parts, the next part counts what has arrived late in those before it.
  if (charge?.state !== 'billed' || charge.amount !== undefined) return undefined;
  const billed = await billedLines(deps.db, charge.id);
  const period = billedPeriod(charge, billed);
  const line = billed.at(-1);
  if (period === undefined || line === undefined) return undefined;
  // Read before the transaction, which would otherwise hold up everybody else.
  const measured = await readUsage(deps, line, charge.customerId, period);
  if (isMissing(measured)) return undefined;
  const { value: after, snapshot } = measured;
  const known = await countedSoFar(deps.db, charge);
  if (isZero(differenceOf(after, known.before))) return undefined;
  const reason = await usageReason(deps, { ...line, customerId: charge.customerId }, period, {
    ...known,
    after,
    since: known.sinceSnapshot,
  });
  return deps.db.transaction(async (trx) => {
    const { lines, before, sinceSnapshot } = await countedSoFar(trx, charge);
    const now = billedPeriod(charge, lines);
    const last = lines.at(-1);
    if (last === undefined || now === undefined || now.toMs !== period.toMs || before !== known.before)
      return undefined;
    return record(deps, trx, charge, {
      billed: period,
      line: last,
      isPaidFor: lines.every(isBilled),
      before,
      after,
      reason,
      ...(sinceSnapshot !== undefined && { sinceSnapshot }),
      ...(snapshot !== undefined && { snapshot }),
    });
  });
}

/** What lines and corrections have come to so far, and the moment at which that was read last. */
async function countedSoFar(db: ControlDb, charge: Charge) {
  const lines = await billedLines(db, charge.id);
  const earlier = (await correctionRepository(db).ofCharge(charge.id)).filter(isInForce);
  const own = earlier.filter(({ reason }) => reason !== 'carried_over');
  const sinceSnapshot = own.findLast((one) => one.snapshot !== undefined)?.snapshot ?? lines.at(-1)?.snapshot;
  return { lines, before: countedBefore(lines, earlier), sinceSnapshot };
}

/** Lines of the charge, those of deleted and void invoices included. */
async function billedLines(db: ControlDb, chargeId: string): Promise<LineOfCharge[]> {
  const lines = await lineRepository(db).ofCharge(chargeId);
  return lines.filter((line) => line.kind === 'charge' && !isTakenBack(line));
}

/**
 * The part of the charge that is billed for good. undefined while a part of it is on a draft, which counts for itself, and
 * when it was let off with a line, or with a deleted or void invoice.
 */
function billedPeriod(charge: Charge, lines: readonly LineOfCharge[]): Period | undefined {
  if (lines.length === 0) return undefined;
  const isOpen = lines.some((line) => line.quantity === undefined || followsCharges(line.invoiceStatus));
  const isLetOff = lines.some(
    (line) => line.deletedAtMs !== undefined || ['deleted', 'voided'].includes(line.invoiceStatus),
  );
  if (isOpen || isLetOff) return undefined;
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

/** The quantity that lines and corrections have come to so far. */
function countedBefore(lines: readonly LineOfCharge[], earlier: readonly Correction[]): string {
  const own = earlier.filter(({ reason, quantityAfter }) => reason !== 'carried_over' && quantityAfter !== undefined);
  const changes = own.map(({ quantityAfter, quantityBefore }) =>
    differenceOf(quantityAfter ?? '0', quantityBefore ?? '0'),
  );
  return sumOf([...lines.map((line) => line.quantity ?? '0'), ...changes]);
}

async function record(
  deps: InvoicesDeps,
  trx: ControlDb,
  charge: Charge,
  recount: Recount,
): Promise<Correction | undefined> {
  const { billed, line, isPaidFor, before, after, reason, ...moments } = recount;
  const currency = await currencyOf(deps, charge.currency, trx);
  const terms = billedTerms(line, charge, charge.terms, currency);
  const costOf = (quantity: string) =>
    costOfQuantity(line.name, { terms, billed, quantity, currency, newId: deps.newId });
  const amount = differenceOf(costOf(after), costOf(before));
  if (isNegative(amount) && !isPaidFor) return undefined;
  const { adjustments } = await deps.profileOf(charge.customerId, trx);
  const text = toTextPeriod(billed);
  const correction: Correction = {
    id: deps.newId(),
    customerId: charge.customerId,
    currency: charge.currency,
    chargeId: charge.id,
    reason,
    name: `${line.name}: ${USAGE_REASON_NAMES[reason]}`,
    description: `${text.from} to ${text.to} was billed with a quantity of ${before}; it is ${after} now.`,
    amount,
    quantityBefore: before,
    quantityAfter: after,
    ...moments,
    ...defined({ taxConfig: line.taxConfig }),
    period: billed,
    // A difference that costs nothing (free units, the middle of a package) is known, and on no invoice.
    state: adjustments.late_usage === 'report' || isZero(amount) ? 'reported' : 'pending',
    createdAtMs: deps.clock.nowMs(),
  };
  await correctionRepository(trx).insert(correction);
  return correction;
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
  readonly made: readonly Correction[];
  /** Charges that could not be looked at, and why: those are tried again, and hold up nothing else. */
  readonly failed: readonly { readonly chargeId: string; readonly error: unknown }[];
}

/**
 * Looks again at what was billed lately: at what was recent when this was last done on schedule, so that what arrived
 * on the last of its days is found by a look on the day after, too. Does not fail for a charge that cannot be counted: what
 * is to be billed now must not wait for what has been billed already.
 */
export async function correctUsageOfCustomer(deps: InvoicesDeps, customerId: string): Promise<Recounted> {
  const { recountedAtMs = LOOK_BACK_MS } = await scheduleRepository(deps.db).last(customerId);
  const sinceMs = Math.min(recountedAtMs, deps.clock.nowMs()) - LOOK_BACK_MS;
  const made: Correction[] = [];
  const failed: { chargeId: string; error: unknown }[] = [];
  for (const charge of await chargeRepository(deps.db).issuedSince(customerId, sinceMs)) {
    try {
      const correction = await correctUsage(deps, charge.id);
      if (correction !== undefined) made.push(correction);
    } catch (error) {
      failed.push({ chargeId: charge.id, error });
    }
  }
  return { made, failed };
}
