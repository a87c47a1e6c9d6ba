import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, ZERO } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { roundMoney } from '../../platform/money.ts';
import type { CreditsDeps } from './deps.ts';
import { creditProblem } from './errors.ts';
import { addLot, type OpenLedger, writeLedger } from './ledger.ts';
import { creditCurrency, fromNow } from './new-grant.ts';
import { creditRepository } from './repository.ts';
import { settleRun } from './runs.ts';
import type { AdjustmentBody, CreateAdjustment } from './schema.ts';
import type { StoredLot } from './stored.ts';

/** Gives credit without an end, or takes some, also below zero. It must run in a transaction. @throws DomainProblem 400 */
export async function adjust(
  deps: CreditsDeps,
  scope: CustomerScope,
  request: CreateAdjustment,
): Promise<AdjustmentBody> {
  const currency = await creditCurrency(deps, request.currency, scope);
  const amount = roundMoney(new Decimal(request.amount), currency);
  if (amount.isZero()) throw creditProblem('credit_amount_invalid');
  const body = { name: request.name, ...defined({ description: request.description, labels: request.labels }) };
  const owner = { customerId: scope.customerId, currency: currency.code };
  const nowMs = scope.clock.nowMs();
  if (amount.gt(0)) {
    const lot = { ...givenLot(scope, amount, nowMs), funding: 'none' as const, costBasis: ZERO };
    const given: StoredLot = { ...body, ...owner, kind: 'adjustment', updatedAtMs: nowMs, lot };
    await writeLedger(scope, { ...owner, digits: currency.digits }, (ledger) => void addLot(ledger, given));
  } else {
    const id = scope.newId();
    await creditRepository(scope).insertRuns([{ ...body, ...owner, id, createdAtMs: nowMs }]);
    await writeLedger(scope, { ...owner, digits: currency.digits }, (ledger) => take(ledger, id, amount.neg()));
  }
  return body;
}

/** Without an end, and of the priority that grants have unless told. */
function givenLot(scope: CustomerScope, amount: Decimal, nowMs: number) {
  const base = { id: scope.newId(), seq: 0, amount, priority: 10, features: [] };
  return { ...base, createdAtMs: nowMs, effectiveAtMs: fromNow(nowMs) };
}

function take({ book, nowMs }: OpenLedger, runId: string, total: Decimal): void {
  const at = { asOf: { atMs: nowMs }, bookedAtMs: nowMs, nowMs };
  settleRun(book, { runId, mode: 'credit_only', total, ...at, reasonId: `adjustment:${runId}` });
}
