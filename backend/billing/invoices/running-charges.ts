/**
 * What a customer owes of what runs: usage so far, and fees that are due, as far as no invoice has worked them out. Nothing
 * is stored.
 */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { Decimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import type { Currency } from '../../platform/money.ts';
import { type Charge, chargeRepository, currencyOf } from '../charges/index.ts';
import type { RunningCharge } from '../credits/index.ts';
import {
  invoiceRepository,
  isMissing,
  isTakenBack,
  type LineOfCharge,
  lineRepository,
  netOf,
  rateLine,
  readUsages,
} from '../invoice-records/index.ts';
import type { InvoicesDeps } from './deps.ts';
import { withoutMinimum } from './read-cuts.ts';

/** By currency. Usage is read, so it must not run in a transaction. */
export async function runningCharges(
  deps: InvoicesDeps,
  scope: CustomerScope,
): Promise<ReadonlyMap<string, RunningCharge[]>> {
  const nowMs = scope.clock.nowMs();
  const charges = await unbilledCharges(scope, nowMs);
  const lines = await lineRepository(scope).ofCharges(charges.map(({ id }) => id));
  const metered = charges.filter(({ amount }) => amount === undefined);
  const asked = metered.map(({ featureId, name, servicePeriod }) => ({
    featureId,
    name,
    period: { fromMs: servicePeriod.fromMs, toMs: Math.min(servicePeriod.toMs, Math.max(nowMs, servicePeriod.fromMs)) },
  }));
  const read = await readUsages(deps, scope, scope.customerId, asked);
  const used = new Map(metered.map(({ id }, index) => [id, read[index]]));
  const running = new Map<string, RunningCharge[]>();
  for (const charge of charges) {
    const usage = used.get(charge.id);
    const quantity = usage === undefined || isMissing(usage) ? '0' : usage.value;
    const currency = await currencyOf(deps, charge.currency, scope);
    const { featureKey: feature, settlementMode: mode } = charge;
    // What was drawn so far is booked for the charge itself where it has no lines.
    const isAlone = mode === 'credit_only';
    const rated = isAlone ? ZERO : ratedOf(lines.get(charge.id) ?? []);
    const total = costSoFar(charge, quantity, currency, nowMs).sub(rated);
    if (total.lte(0)) continue;
    const one = {
      runId: isAlone ? charge.id : `charge:${charge.id}`,
      ...(feature !== undefined && { feature }),
      mode,
      total,
    };
    running.set(charge.currency, [...(running.get(charge.currency) ?? []), one]);
  }
  return running;
}

/** Charges that have begun, of which a part is on no invoice, or on one that is not worked out yet. */
async function unbilledCharges(scope: CustomerScope, nowMs: number): Promise<Charge[]> {
  const open = await chargeRepository(scope).open(scope.customerId);
  const onDrafts: string[] = [];
  for (const id of await invoiceRepository(scope).collecting(scope.customerId)) {
    const lines = await lineRepository(scope).ofInvoice(id);
    onDrafts.push(...lines.flatMap(({ rated, chargeId }) => (rated === undefined ? (chargeId ?? []) : [])));
  }
  const known = new Set(open.map(({ id }) => id));
  const others = await chargeRepository(scope).byIds([...new Set(onDrafts)].filter((id) => !known.has(id)));
  return [...open, ...others.filter(({ state }) => state !== 'deleted')].filter((charge) => hasBegun(charge, nowMs));
}

function hasBegun({ amount, invoiceAtMs, servicePeriod }: Charge, nowMs: number): boolean {
  return amount === undefined ? servicePeriod.fromMs < nowMs : invoiceAtMs <= nowMs;
}

/** What a charge costs with a quantity; a minimum is due at the end of its period only. */
export function costSoFar(charge: Charge, quantity: string, currency: Currency, nowMs: number): Decimal {
  const { name, servicePeriod, amount } = charge;
  const terms = nowMs < servicePeriod.toMs ? withoutMinimum(charge.terms) : charge.terms;
  const line = {
    name,
    terms: amount === undefined ? terms : { ...terms, price: { type: 'flat' as const, amount } },
    quantity,
    servicePeriod,
    fullServicePeriod: servicePeriod,
    splitPosition: 'single' as const,
    previousQuantity: '0',
    previouslyBilledAmount: '0',
  };
  return new Decimal(netOf({ rated: rateLine(line, currency, () => '') }));
}

/** What was worked out already, and what was let off: neither comes again. */
function ratedOf(lines: readonly LineOfCharge[]): Decimal {
  return sumDecimals(lines.filter((line) => line.kind === 'charge' && !isTakenBack(line)).map(netOf));
}
