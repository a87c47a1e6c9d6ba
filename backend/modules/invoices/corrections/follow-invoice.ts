/**
 * What becomes of corrections and charges when lines or whole invoices come to stand, or do not stand any more. Runs inside
 * the transaction that stores the invoice, after it. A credit has a life of its own: it never goes with the line that
 * carries it.
 */
import type { ControlDb } from '../../../platform/db/control-db.ts';
import { Decimal, formatDecimal, ZERO } from '../../../platform/decimal.ts';
import { isBilled } from '../charges/billed-lines.ts';
import { chargeRepository } from '../charges/repository.ts';
import type { InvoicesDeps } from '../deps.ts';
import type { Moving } from '../lifecycle/collect.ts';
import { stands } from '../lifecycle/states.ts';
import { lineRepository } from '../lines/repository.ts';
import { isNegative, sumOf } from '../money.ts';
import { netOf } from '../rate-line.ts';
import type { Charge, Correction, InvoiceLine } from '../types.ts';
import { correctFee } from './fees.ts';
import { released } from './fit.ts';
import { correctionRepository } from './repository.ts';
import { isInForce, withdrawCredits } from './withdraw.ts';

export async function correctionsFollow(
  deps: InvoicesDeps,
  trx: ControlDb,
  before: Moving,
  after: Moving,
): Promise<void> {
  const known = new Map(before.lines.map((line) => [line.id, line]));
  const wasStanding = stands(before.invoice.status);
  const isStanding = stands(after.invoice.status);
  for (const line of after.lines) {
    const was = known.get(line.id);
    const isDropped = line.removedBy === 'person' && was !== undefined && was.deletedAtMs === undefined;
    if (line.kind === 'correction' && isDropped) await dropCorrection(deps, trx, line);
    if (line.kind === 'correction' && line.deletedAtMs === undefined) {
      if (wasStanding && !isStanding) await releaseCredit(trx, line);
      if (!wasStanding && isStanding) await retakeCredit(deps, trx, line);
    }
  }
  if (wasStanding === isStanding) return;
  const charged = after.lines.filter((line) => line.kind === 'charge' && line.removedBy !== 'system');
  for (const id of new Set(charged.map(({ chargeId }) => chargeId))) {
    if (id !== undefined) await correctCharge(deps, trx, id);
  }
}

/** A credit that is taken off is open again; what was to be paid is let off. */
async function dropCorrection(deps: InvoicesDeps, trx: ControlDb, line: InvoiceLine): Promise<void> {
  const correction = await carriedBy(trx, line);
  if (correction === undefined) return;
  const next: Correction = isNegative(correction.amount)
    ? released(correction)
    : { ...correction, state: 'written_off', settledAtMs: deps.clock.nowMs() };
  await correctionRepository(trx).replace(next);
}

async function releaseCredit(trx: ControlDb, line: InvoiceLine): Promise<void> {
  const correction = await carriedBy(trx, line);
  if (correction !== undefined && isNegative(correction.amount)) {
    await correctionRepository(trx).replace(released(correction));
  }
}

/** The invoice is paid after all. A credit that was used meanwhile, in whole or in part, is used twice then. */
async function retakeCredit(deps: InvoicesDeps, trx: ControlDb, line: InvoiceLine): Promise<void> {
  const { correctionId, rated } = line;
  const correction = correctionId === undefined ? undefined : await correctionRepository(trx).byId(correctionId);
  const amount = rated?.totals.amount ?? '0';
  if (correction === undefined || !isNegative(amount) || correction.lineId === line.id) return;
  if (correction.state === 'pending' && correction.amount === amount) {
    await correctionRepository(trx).replace({ ...correction, state: 'invoiced', lineId: line.id });
    return;
  }
  const { chargeId: _, lineId: __, quantityBefore: ___, quantityAfter: ____, ...rest } = correction;
  await correctionRepository(trx).insert({
    ...rest,
    id: deps.newId(),
    reason: 'credit_used_twice',
    description: `It was used again while nobody expected the invoice to be paid: ${correction.description}`,
    amount: formatDecimal(new Decimal(amount).neg()),
    state: 'pending',
    createdAtMs: deps.clock.nowMs(),
  });
}

async function carriedBy(trx: ControlDb, { id, correctionId }: InvoiceLine): Promise<Correction | undefined> {
  const correction = correctionId === undefined ? undefined : await correctionRepository(trx).byId(correctionId);
  return correction?.lineId === id && correction.state === 'invoiced' ? correction : undefined;
}

/** Only what is billed on invoices that stand can be given back. */
async function correctCharge(deps: InvoicesDeps, trx: ControlDb, id: string): Promise<void> {
  const charge = await chargeRepository(trx).byId(id);
  if (charge === undefined) return;
  const lines = (await lineRepository(trx).ofCharge(id)).filter((line) => line.kind === 'charge');
  if (charge.amount !== undefined) {
    const { fromMs, toMs } = charge.servicePeriod;
    const isOwed = charge.state !== 'deleted';
    const now: Charge = isOwed ? charge : { ...charge, amount: '0' };
    await correctFee(deps, trx, now, { lines, usedUntilMs: isOwed ? toMs : fromMs });
    return;
  }
  const earlier = (await correctionRepository(trx).ofCharge(id)).filter(isInForce);
  const billed = Decimal.sum(ZERO, ...lines.filter(isBilled).map(netOf), sumOf(earlier.map(({ amount }) => amount)));
  if (!billed.lt(0)) return;
  const left = await withdrawCredits(trx, earlier, billed.neg());
  if (left.isZero()) return;
  await correctionRepository(trx).insert({
    id: deps.newId(),
    customerId: charge.customerId,
    currency: charge.currency,
    chargeId: id,
    reason: 'credit_without_payment',
    name: `${charge.name}: credit taken back`,
    description: 'It had been given back, and the invoice that it was for is not paid.',
    amount: formatDecimal(left),
    period: charge.servicePeriod,
    state: 'pending',
    createdAtMs: deps.clock.nowMs(),
  });
}
