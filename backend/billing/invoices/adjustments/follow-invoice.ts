/**
 * What becomes of adjustments and charges when lines or whole invoices come to stand, or do not stand any more. Runs inside
 * the transaction that stores the invoice, after it. A credit has a life of its own: it never goes with the line that
 * carries it.
 */

import type { CustomerScope } from '../../../customers/test-clocks/index.ts';
import { listsOf } from '../../../platform/db/in-lists.ts';
import { Decimal, formatDecimal, sumDecimals } from '../../../platform/decimal.ts';
import { isNegative } from '../../../platform/decimal-texts.ts';
import {
  type Adjustment,
  adjustmentRepository,
  correctFee,
  isInForce,
  isLetOff,
  released,
  withdrawCredits,
} from '../../adjustments/index.ts';
import { type Charge, chargeRepository } from '../../charges/index.ts';
import {
  type InvoiceLine,
  isBilled,
  type LineOfCharge,
  lineRepository,
  netOf,
  stands,
} from '../../invoice-records/index.ts';
import type { InvoicesDeps } from '../deps.ts';
import type { Moving } from '../lifecycle/moving.ts';

export async function adjustmentsFollow(
  deps: InvoicesDeps,
  scope: CustomerScope,
  before: Moving,
  after: Moving,
): Promise<void> {
  const known = new Map(before.lines.map((line) => [line.id, line]));
  const wasStanding = stands(before.invoice.status);
  const isStanding = stands(after.invoice.status);
  const adjustments = await adjustmentRepository(scope).byIds(
    after.lines.flatMap(({ adjustmentId }) => adjustmentId ?? []),
  );
  const changed: Adjustment[] = [];
  for (const line of after.lines) {
    const was = known.get(line.id);
    const isDropped = line.removedBy === 'person' && was !== undefined && was.deletedAtMs === undefined;
    const adjustment = adjustments.get(line.adjustmentId ?? '');
    if (line.kind !== 'correction' || adjustment === undefined) continue;
    const isCarried = adjustment.lineId === line.id && adjustment.state === 'invoiced';
    if (isDropped && isCarried) changed.push(dropped(adjustment, scope.clock.nowMs()));
    if (line.deletedAtMs !== undefined) continue;
    if (wasStanding && !isStanding && isCarried) changed.push(dropped(adjustment, scope.clock.nowMs()));
    if (!wasStanding && isStanding) changed.push(...retaken(scope, line, adjustment));
  }
  await adjustmentRepository(scope).store(changed);
  if (wasStanding === isStanding) return;
  const charged = after.lines.filter((line) => line.kind === 'charge' && line.removedBy !== 'system');
  const ids = new Set(charged.flatMap(({ chargeId }) => chargeId ?? []));
  for (const list of listsOf([...ids], CHARGES_AT_ONCE)) await correctCharges(deps, scope, list);
}

/** All of their lines and adjustments are in memory at a time. */
const CHARGES_AT_ONCE = 500;

/** A credit whose line goes, or whose invoice does not stand any more, is open again; what was to be paid is let off. */
function dropped(adjustment: Adjustment, nowMs: number): Adjustment {
  if (isNegative(adjustment.amount)) return released(adjustment);
  return { ...adjustment, state: 'written_off', settledAtMs: nowMs };
}

/** The invoice is paid after all. A credit that was used meanwhile, in whole or in part, is used twice then. */
function retaken(scope: CustomerScope, { id, rated }: InvoiceLine, adjustment: Adjustment): Adjustment[] {
  const amount = rated?.totals.amount ?? '0';
  if (adjustment.lineId === id) return takenUpAgain(adjustment);
  if (!isNegative(amount)) return [];
  if (adjustment.state === 'pending' && adjustment.amount === amount) {
    return [{ ...adjustment, state: 'invoiced', lineId: id }];
  }
  const { chargeId: _, lineId: __, quantityBefore: ___, quantityAfter: ____, ...rest } = adjustment;
  const usedTwice: Adjustment = {
    ...rest,
    id: scope.newId(),
    reason: 'credit_used_twice',
    description: `It was used again while nobody expected the invoice to be paid: ${adjustment.description}`,
    amount: formatDecimal(new Decimal(amount).neg()),
    state: 'pending',
    createdAtMs: scope.clock.nowMs(),
  };
  return [usedTwice];
}

/** What was let off with its invoice is not any more. */
function takenUpAgain({ settledAtMs: _, ...adjustment }: Adjustment): Adjustment[] {
  return adjustment.state === 'written_off' ? [{ ...adjustment, state: 'invoiced' }] : [];
}

/** Only what is billed on invoices that stand can be given back. */
async function correctCharges(deps: InvoicesDeps, scope: CustomerScope, ids: readonly string[]): Promise<void> {
  const lines = await lineRepository(scope).ofCharges(ids);
  const adjustments = await adjustmentRepository(scope).ofCharges(ids);
  for (const charge of await chargeRepository(scope).byIds(ids)) {
    const own = (lines.get(charge.id) ?? []).filter((line) => line.kind === 'charge');
    await correctCharge(deps, scope, charge, { lines: own, earlier: adjustments.get(charge.id) ?? [] });
  }
}

async function correctCharge(
  deps: InvoicesDeps,
  scope: CustomerScope,
  charge: Charge,
  known: { lines: readonly LineOfCharge[]; earlier: readonly Adjustment[] },
): Promise<void> {
  const { lines } = known;
  if (charge.amount !== undefined) {
    const { fromMs, toMs } = charge.servicePeriod;
    const isOwed = charge.state !== 'deleted';
    const now: Charge = isOwed ? charge : { ...charge, amount: '0' };
    await correctFee(deps, scope, now, { ...known, usedUntilMs: isOwed ? toMs : fromMs });
    return;
  }
  const earlier = known.earlier.filter(isInForce);
  const given = earlier.filter((one) => !isLetOff(one)).map(({ amount }) => amount);
  const billed = sumDecimals([...lines.filter(isBilled).map(netOf), ...given]);
  if (!billed.lt(0)) return;
  const left = await withdrawCredits(scope, earlier, billed.neg());
  if (left.isZero()) return;
  await adjustmentRepository(scope).store([
    {
      id: scope.newId(),
      customerId: charge.customerId,
      currency: charge.currency,
      chargeId: charge.id,
      reason: 'credit_without_payment',
      name: `${charge.name}: credit taken back`,
      description: 'It had been given back, and the invoice that it was for is not paid.',
      amount: formatDecimal(left),
      period: charge.servicePeriod,
      state: 'pending',
      createdAtMs: scope.clock.nowMs(),
    },
  ]);
}
