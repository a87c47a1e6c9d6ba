import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { type OpenLedger, writeLedger } from './ledger.ts';
import { fundLot, unfundLot } from './lots.ts';
import { withPayment } from './payments.ts';
import { creditRepository } from './repository.ts';
import type { StoredLot } from './stored.ts';

/** What became of the line that credit is bought with. */
export interface PurchaseStep {
  chargeId: string;
  invoiceId: string;
  lineId: string;
  /** `gone`: nobody pays it any more. */
  state: 'drafted' | 'authorized' | 'settled' | 'gone';
}

/** Those of some charges that credit is bought with. */
export async function purchasesAmong(scope: CustomerScope, chargeIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (!(await creditRepository(scope).hasPurchases(scope.customerId))) return new Set();
  const lots = await creditRepository(scope).bought(chargeIds);
  return new Set(lots.flatMap(({ purchase }) => purchase?.chargeId ?? []));
}

/**
 * Credit that is bought by invoice is there as soon as its line stands on a draft. When that goes, is void or given up, what
 * is unused goes, too, and what was used takes the balance below zero. It must run in the transaction that stores the
 * invoice. @param digitsOf the digits of a currency
 */
export async function purchasesFollow(
  scope: CustomerScope,
  steps: readonly PurchaseStep[],
  digitsOf: (currency: string) => Promise<number>,
): Promise<void> {
  if (steps.length === 0 || !(await creditRepository(scope).hasPurchases(scope.customerId))) return;
  const lots = await creditRepository(scope).bought(steps.map(({ chargeId }) => chargeId));
  const byCharge = new Map(lots.map((one) => [one.purchase?.chargeId, one]));
  for (const step of steps) {
    const bought = byCharge.get(step.chargeId);
    if (bought === undefined) continue;
    const { currency } = bought;
    await writeLedger(scope, { currency, digits: await digitsOf(currency) }, (ledger) => follow(ledger, bought, step));
  }
}

function follow(
  { book, stored, nowMs }: OpenLedger,
  { lot: { id } }: StoredLot,
  { state, invoiceId, lineId }: PurchaseStep,
): void {
  const known = stored.get(id);
  if (known?.purchase === undefined) return;
  if (state === 'gone') {
    unfundLot(book, id, { nowMs, reasonId: `gone:${id}` });
  } else if (state === 'drafted') {
    stored.set(id, { ...known, purchase: { ...known.purchase, invoice: { id: invoiceId, lineId } } });
    fundLot(book, known.lot, { nowMs, reasonId: `grant:${id}` });
  } else {
    const paid = withPayment(known, state, nowMs);
    if (paid !== known) stored.set(id, paid);
  }
}
