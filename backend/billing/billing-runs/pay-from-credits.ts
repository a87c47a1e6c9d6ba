/**
 * What is paid from credits alone (`credit_only`): no invoice is made of it. What has been used so far is drawn while it
 * runs, and all of it when it falls due; what no credit pays for is used in advance, and the next credit pays it. What is
 * counted later is drawn or given back then.
 */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { sumDecimals } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { LOOK_BACK_MS } from '../adjustments/index.ts';
import { type Charge, chargeRepository, currencyOf } from '../charges/index.ts';
import { drawCredits, type PayableRun } from '../credits/index.ts';
import { isMissing, readUsages } from '../invoice-records/index.ts';
import { type Cuts, costSoFar, cutTotals, followGathering, readCuts } from '../invoices/index.ts';
import type { BillingRunsDeps } from './deps.ts';

/** Repeatable: runs come to what they cost, however often they are asked. Usage is read, so not within a transaction. */
export async function payFromCredits(deps: BillingRunsDeps, scope: CustomerScope): Promise<void> {
  const charges = await creditOnlyCharges(scope);
  for (const currency of new Set(charges.map((charge) => charge.currency))) {
    const own = charges.filter((charge) => charge.currency === currency);
    const read = await readSoFar(deps, scope, currency, own);
    await scope.transaction((scope) => book(deps, scope, currency, read));
  }
}

/** Those that have begun, and those that are finished and may be counted again. */
async function creditOnlyCharges(scope: CustomerScope): Promise<Charge[]> {
  const nowMs = scope.clock.nowMs();
  const open = await chargeRepository(scope).open(scope.customerId);
  const finished = await chargeRepository(scope).issuedSince(scope.customerId, nowMs - LOOK_BACK_MS);
  const hasBegun = ({ amount, invoiceAtMs, servicePeriod }: Charge) =>
    amount === undefined ? servicePeriod.fromMs < nowMs : invoiceAtMs <= nowMs;
  return [...open, ...finished].filter((charge) => charge.settlementMode === 'credit_only' && hasBegun(charge));
}

interface ReadSoFar {
  charges: readonly Charge[];
  /** Of metered charges; one whose usage cannot be read is absent. */
  quantities: ReadonlyMap<string, string>;
  cuts: Cuts;
}

async function readSoFar(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  currency: string,
  all: readonly Charge[],
): Promise<ReadSoFar> {
  const nowMs = scope.clock.nowMs();
  const metered = all.filter(({ amount }) => amount === undefined);
  const asked = metered.map(({ featureId, name, servicePeriod: { fromMs, toMs } }) => {
    return { featureId, name, period: { fromMs, toMs: Math.min(toMs, nowMs) } };
  });
  const values = await readUsages(deps, scope, scope.customerId, asked);
  const quantities = new Map<string, string>();
  for (const [index, { id }] of metered.entries()) {
    const value = values[index];
    if (value !== undefined && !isMissing(value)) quantities.set(id, value.value);
  }
  const whole = metered.map((charge) => ({ ...charge, fullServicePeriod: charge.servicePeriod }));
  const charges = all.filter(({ id, amount }) => amount !== undefined || quantities.has(id));
  return { charges, quantities, cuts: await readCuts(deps, scope, currency, whole) };
}

async function book(deps: BillingRunsDeps, scope: CustomerScope, code: string, read: ReadSoFar): Promise<void> {
  const nowMs = scope.clock.nowMs();
  const currency = await currencyOf(deps, code, scope);
  const stored = new Map(
    (await chargeRepository(scope).byIds(read.charges.map(({ id }) => id))).map((charge) => [charge.id, charge]),
  );
  // What has changed since it was read is looked at the next time.
  const charges = read.charges.filter((charge) => {
    const now = stored.get(charge.id);
    return now?.state === charge.state && now.updatedAtMs === charge.updatedAtMs;
  });
  const runs = charges.map((charge): PayableRun => {
    const quantity = read.quantities.get(charge.id) ?? '0';
    const unsplit = { splitPosition: 'single' as const, previousQuantity: '0', previouslyBilledAmount: '0' };
    return {
      id: charge.id,
      name: charge.name,
      labels: labelsOf(charge),
      feature: charge.featureKey,
      mode: 'credit_only',
      total: costSoFar(charge, quantity, currency, nowMs),
      asOfMs: Math.min(nowMs, charge.amount === undefined ? charge.servicePeriod.toMs : charge.invoiceAtMs),
      cuts: cutTotals({ ...charge, ...unsplit, fullServicePeriod: charge.servicePeriod }, read.cuts, currency),
    };
  });
  const limit = sumDecimals(runs.map(({ total }) => total));
  await drawCredits(scope, currency, { runs, limit }, `credit-only:${scope.newId()}`);
  await finish(deps, scope, code, charges);
}

/** What falls due is final; its usage is counted again for as long as that of invoices. */
async function finish(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  currency: string,
  charges: readonly Charge[],
): Promise<void> {
  const atMs = scope.clock.nowMs();
  const due = charges.filter(({ state, invoiceAtMs }) => state === 'open' && invoiceAtMs <= atMs);
  if (due.length === 0) return;
  const states = due.map(({ id, servicePeriod }) => ({ id, state: 'billed' as const, billedToMs: servicePeriod.toMs }));
  await chargeRepository(scope).setStates(states, atMs);
  const metered = due.filter(({ amount }) => amount === undefined);
  await chargeRepository(scope).setIssued(
    metered.map(({ id }) => id),
    atMs,
  );
  const customer = await deps.findCustomer(scope.customerId, scope);
  if (customer !== undefined) await followGathering(scope, customer, currency);
}

function labelsOf({ id, subscription }: Charge): Record<string, string> {
  return defined({
    charge_id: id,
    subscription_id: subscription?.id,
    subscription_phase_id: subscription?.phaseId,
    subscription_item_id: subscription?.itemId,
  });
}
