/**
 * Fees that were billed and have become other ones: a plan was changed or ended before the time that was paid for was
 * over, or goes on after all; or the invoice that they stood on does not stand any more.
 */

import { chargesUsage } from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { sumOf } from '../../platform/decimal-texts.ts';
import { defined } from '../../platform/defined.ts';
import type { Currency } from '../../platform/money.ts';
import { type Charge, currencyOf } from '../charges/index.ts';
import {
  billedTerms,
  followsCharges,
  isBilled,
  isTakenBack,
  type LineOfCharge,
  netOf,
  rateLine,
} from '../invoice-records/index.ts';
import type { AdjustmentsDeps } from './deps.ts';
import { againstLetOff, letOffOf, withoutQuantities } from './let-off.ts';
import { adjustmentRepository } from './repository.ts';
import type { Adjustment } from './types.ts';
import { isInForce, withdrawCredits } from './withdraw.ts';

export interface BilledFee {
  /** Of the charge, those of deleted invoices included: what was let off stays let off. */
  lines: readonly LineOfCharge[];
  /** Of the charge. */
  earlier: readonly Adjustment[];
  /** Until when what the fee is for is used; undefined: it is not used at all. */
  usedUntilMs: number | undefined;
}

/**
 * Makes up for the difference between what a fee is now and what was billed for it on invoices that stand. Asking again
 * changes nothing. Lines on drafts are left out: they follow their charge themselves.
 * @param charge with the amount that it has now; "0" when it is not owed at all
 */
export async function correctFee(
  deps: AdjustmentsDeps,
  scope: CustomerScope,
  charge: Charge,
  { lines, earlier: all, usedUntilMs }: BilledFee,
): Promise<void> {
  const fixed = lines.filter((line) => !followsCharges(line.invoiceStatus) && !isTakenBack(line));
  const billed = fixed.find(isBilled) ?? fixed[0];
  if (charge.amount === undefined || billed === undefined || chargesUsage(billed.terms.price)) return;
  const fee = await feeNow(charge, billed, deps, scope);
  const earlier = all.filter(isInForce);
  const missing = wantedAdjustment(fee, fixed).sub(sumOf(earlier.map(({ amount }) => amount)));
  if (missing.isZero()) return;
  const isCredit = missing.lt(0);
  const { adjustments } = await deps.profileOf(charge.customerId, scope);
  if (isCredit && adjustments.unused_time === 'keep') return;
  const split = againstLetOff(letOffOf(earlier), missing);
  const rest = isCredit ? split.rest : await withdrawCredits(scope, earlier, split.rest);
  const isUnbilled = !isCredit && !fixed.some(isBilled);
  const adjustmentOf = (amount: Decimal): Adjustment => ({
    ...(isUnbilled ? unpaidCredit(charge, billed) : timeAdjustment(charge, { fixed, billed, isCredit, usedUntilMs })),
    id: scope.newId(),
    customerId: charge.customerId,
    currency: charge.currency,
    chargeId: charge.id,
    amount: formatDecimal(amount),
    ...defined({ taxConfig: billed.taxConfig }),
    state: 'pending',
    createdAtMs: scope.clock.nowMs(),
  });
  await adjustmentRepository(scope).store([
    ...(rest.isZero() ? [] : [adjustmentOf(rest)]),
    ...(split.letOff.isZero() ? [] : [withoutQuantities(adjustmentOf(split.letOff))]),
  ]);
}

/**
 * What all adjustments of the fee are to come to. What was let off is not billed again, and only what is billed can be given
 * back.
 */
function wantedAdjustment(fee: string, fixed: readonly LineOfCharge[]): Decimal {
  const difference = new Decimal(fee).sub(sumOf(fixed.filter(isBilled).map(netOf)));
  const letOff = sumOf(fixed.filter((line) => !isBilled(line)).map(netOf));
  const more = difference.sub(letOff);
  if (more.gt(0)) return more;
  return Decimal.min(ZERO, difference);
}

type AdjustmentTexts = Pick<Adjustment, 'reason' | 'name' | 'description' | 'period'>;

function timeAdjustment(
  charge: Charge,
  of: { fixed: readonly LineOfCharge[]; billed: LineOfCharge; isCredit: boolean; usedUntilMs: number | undefined },
): AdjustmentTexts {
  const { fixed, billed, isCredit, usedUntilMs } = of;
  const fromMs = billed.servicePeriod.fromMs;
  const toMs = Math.max(fromMs, ...fixed.map((line) => line.servicePeriod.toMs), charge.servicePeriod.toMs);
  const unusedFromMs = Math.min(Math.max(fromMs, usedUntilMs ?? fromMs), toMs);
  return {
    reason: isCredit ? 'unused_time' : 'longer_time',
    name: `${billed.name}: ${isCredit ? 'unused time' : 'longer time'}`,
    description: isCredit
      ? 'Paid in advance for time that is not used.'
      : 'Time that is used after all, and had been given back.',
    period: { fromMs: isCredit ? unusedFromMs : fromMs, toMs },
  };
}

/** A credit that was used, for a fee that nobody pays in the end. */
function unpaidCredit(charge: Charge, billed: LineOfCharge): AdjustmentTexts {
  return {
    reason: 'credit_without_payment',
    name: `${billed.name}: credit taken back`,
    description: 'It had been given back, and the invoice that it was on is not paid.',
    period: charge.servicePeriod,
  };
}

/** What the fee comes to with its discounts, and with what a person has set on its line. */
async function feeNow(
  charge: Charge,
  line: LineOfCharge,
  deps: AdjustmentsDeps,
  scope: CustomerScope,
): Promise<string> {
  const currency: Currency = await currencyOf(deps, charge.currency, scope);
  const { amount = '0', servicePeriod } = charge;
  const agreed = { ...charge.terms, price: { type: 'flat' as const, amount } };
  const rated = rateLine(
    {
      name: charge.name,
      terms: billedTerms(line, charge, agreed, currency),
      servicePeriod,
      fullServicePeriod: servicePeriod,
      splitPosition: 'single',
      previousQuantity: '0',
      previouslyBilledAmount: '0',
    },
    currency,
    scope.newId,
  );
  return netOf({ rated });
}
