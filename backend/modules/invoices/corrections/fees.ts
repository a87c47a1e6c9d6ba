/**
 * Fees that were billed and have become other ones: a plan was changed or ended before the time that was paid for was
 * over, or goes on after all.
 */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { Decimal } from '../../../platform/decimal.ts';
import { defined } from '../../../platform/defined.ts';
import type { InvoicesDeps } from '../deps.ts';
import { followsCharges } from '../lifecycle/states.ts';
import type { LineOfCharge } from '../lines/repository.ts';
import { currencyOf, differenceOf, isZero, sumOf } from '../money.ts';
import { netOf, rateLine } from '../rate-line.ts';
import type { Charge } from '../types.ts';
import { correctionRepository } from './repository.ts';

/**
 * Makes up for the difference between what a fee is now and what was billed for it. Asking again changes nothing.
 * Lines on drafts are left out: they follow their charge themselves.
 * @param charge with the amount that it has now; "0" when it is not owed at all
 * @param lines of the charge, those of deleted invoices included: what was let off stays let off
 */
export async function correctFee(
  deps: InvoicesDeps,
  trx: ControlDb,
  charge: Charge,
  lines: readonly LineOfCharge[],
): Promise<void> {
  const fixed = lines.filter((line) => !followsCharges(line.invoiceStatus));
  const isEdited = fixed.some((line) => line.controller === 'manual' && charge.controller === 'system');
  if (charge.amount === undefined || fixed.length === 0 || isEdited) return;
  const earlier = await correctionRepository(trx).ofCharge(charge.id);
  const settled = sumOf([...fixed.map(netOf), ...earlier.map(({ amount }) => amount)]);
  const amount = differenceOf(await feeNow(charge, deps, trx), settled);
  if (isZero(amount)) return;
  const isCredit = new Decimal(amount).lt(0);
  const { adjustments } = await deps.profileOf(charge.customerId, trx);
  if (isCredit && adjustments.unused_time === 'keep') return;
  const [billed] = fixed;
  const fromMs = isCredit ? charge.servicePeriod.toMs : (billed?.servicePeriod.fromMs ?? charge.servicePeriod.fromMs);
  const toMs = Math.max(fromMs, ...fixed.map((line) => line.servicePeriod.toMs), charge.servicePeriod.toMs);
  await correctionRepository(trx).insert({
    id: deps.newId(),
    customerId: charge.customerId,
    currency: charge.currency,
    chargeId: charge.id,
    reason: isCredit ? 'unused_time' : 'longer_time',
    name: `${charge.name}: ${isCredit ? 'unused time' : 'longer time'}`,
    description: isCredit
      ? 'Paid in advance for time that is not used.'
      : 'Time that is used after all, and had been given back.',
    amount,
    period: { fromMs: Math.min(fromMs, toMs), toMs },
    ...defined({ taxConfig: billed?.taxConfig }),
    state: 'pending',
    createdAtMs: deps.clock.nowMs(),
  });
}

/** What the fee comes to with its discounts. */
async function feeNow(charge: Charge, deps: InvoicesDeps, trx: ControlDb): Promise<string> {
  const amount = charge.amount ?? '0';
  const rated = rateLine(
    {
      name: charge.name,
      terms: { ...charge.terms, price: { type: 'flat', amount } },
      servicePeriod: charge.servicePeriod,
      fullServicePeriod: charge.servicePeriod,
      splitPosition: 'single',
      previousQuantity: '0',
      previouslyBilledAmount: '0',
    },
    await currencyOf(deps, charge.currency, trx),
    deps.newId,
  );
  return netOf({ rated });
}
