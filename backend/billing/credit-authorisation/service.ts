import type { CountedMeter, CreditAsk, CreditByFeature, FeatureCredit } from '../../customers/entitlements/index.ts';
import { nowByCustomer } from '../../customers/test-clocks/index.ts';
import { AGGREGATIONS } from '../../metering/usage-store/index.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import type { Scope } from '../../platform/scope.ts';
import { chargeRepository, scheduleRepository } from '../charges/index.ts';
import { creditRecords, type LedgerRecords } from '../credits/index.ts';
import type { CreditAuthorisationDeps } from './deps.ts';
import { grantLeases } from './granting.ts';
import { type CreditFacts, type CreditLeft, isOfFeature, isRunningAt } from './reckoning.ts';
import { authorisationRepository } from './repository.ts';
import { findRunning } from './running.ts';

/**
 * What is left of the credit of customers, for features that are stopped without: those that the seller has said so of, and
 * those that are paid from credit alone. Of others nothing is reckoned, and nothing is answered.
 *
 * The order in which things are read makes sure that nothing is missed that happens meanwhile: leases, charges, usage, and
 * the ledger at last. What moves from one to the next in between counts twice until it is asked again, never not at all.
 * @returns by customer and the key of the feature
 */
export async function findCredit(
  deps: CreditAuthorisationDeps,
  scope: Scope,
  asks: readonly CreditAsk[],
  signal: AbortSignal | undefined,
): Promise<CreditByFeature> {
  const stopped = await stoppedFeatures(deps, scope, asks);
  const onCredit = new Set(await chargeRepository(scope).customersOnCredit(asks.map(({ customerId }) => customerId)));
  const looked = asks.filter((ask) => stopped.has(ask.featureKey) || onCredit.has(ask.customerId));
  if (looked.length === 0) return new Map();
  const ids = [...new Set(looked.map(({ customerId }) => customerId))];
  const now = await nowByCustomer(scope);
  await follow(deps, scope, await scheduleRepository(scope).dueAmong(ids, now.of));
  const before = await authorisationRepository(scope).leases(ids, scope.clock.nowMs());
  const facts = await readFacts(deps, scope, ids, now.of, signal);
  const stopping = looked.filter(
    (ask) => stopped.has(ask.featureKey) || isPaidFromCredit(facts.get(ask.customerId), ask.featureKey),
  );
  const found = await grantLeases(scope, stopping, facts, before);
  const meters = await metersOf(deps, scope, stopping);
  const answer = new Map<string, Map<string, FeatureCredit>>();
  for (const { ask, left, lease } of found) {
    const own = answer.get(ask.customerId) ?? new Map<string, FeatureCredit>();
    const meter = meters.get(ask.featureKey);
    const others = own.get(ask.featureKey)?.leases ?? [];
    const leases = ask.lease === undefined ? undefined : [...others, ...(lease === undefined ? [] : [lease])];
    // What is left for the others is known with the last one.
    answer.set(ask.customerId, own.set(ask.featureKey, { ...toCredit(left), ...defined({ meter, leases }) }));
  }
  return answer;
}

function toCredit({ currency, amount, units, nextUnitCost }: CreditLeft): FeatureCredit {
  return { currency, amount, nextUnitCost, ...(units !== undefined && { units: formatDecimal(units) }) };
}

/** Keys of features. */
async function stoppedFeatures(
  { findFeaturesByKey }: CreditAuthorisationDeps,
  scope: Scope,
  asks: readonly CreditAsk[],
): Promise<ReadonlySet<string>> {
  const features = await findFeaturesByKey([...new Set(asks.map(({ featureKey }) => featureKey))], scope);
  const stops = await authorisationRepository(scope).stops(Array.from(features.values(), ({ id }) => id));
  return new Set([...features].flatMap(([key, { id }]) => (stops.has(id) ? [key] : [])));
}

/** One whose charges cannot be worked out is judged by those that are known; nobody else waits for it. */
async function follow(deps: CreditAuthorisationDeps, scope: Scope, customerIds: readonly string[]): Promise<void> {
  for (const customerId of customerIds) {
    await deps.followCharges(customerId).catch((error: unknown) => {
      scope.log.error({ err: error, customerId }, 'the charges of the customer are not worked out up to now');
    });
  }
}

async function readFacts(
  deps: CreditAuthorisationDeps,
  scope: Scope,
  customerIds: readonly string[],
  nowOf: (customerId: string) => number,
  signal: AbortSignal | undefined,
): Promise<Map<string, CreditFacts>> {
  const running = await findRunning(deps, scope, customerIds, nowOf, signal);
  const facts = new Map<string, CreditFacts>();
  for (const id of customerIds) {
    const own = running.get(id) ?? [];
    const ledgers = new Map<string, LedgerRecords>();
    for (const { charge } of own) {
      const { currency } = charge;
      if (!ledgers.has(currency)) ledgers.set(currency, await creditRecords(scope, id, currency));
    }
    facts.set(id, { nowMs: nowOf(id), running: own, ledgers });
  }
  return facts;
}

function isPaidFromCredit(facts: CreditFacts | undefined, featureKey: string): boolean {
  return (facts?.running ?? []).some(
    ({ charge }) =>
      charge.settlementMode === 'credit_only' &&
      isOfFeature(charge, featureKey) &&
      isRunningAt(charge, facts?.nowMs ?? 0),
  );
}

async function metersOf(
  deps: CreditAuthorisationDeps,
  scope: Scope,
  asks: readonly CreditAsk[],
): Promise<ReadonlyMap<string, CountedMeter>> {
  const features = await deps.findFeaturesByKey([...new Set(asks.map(({ featureKey }) => featureKey))], scope);
  const meterIds = Array.from(features.values()).flatMap(({ meter }) => meter?.id ?? []);
  const meters = await deps.findMeters(meterIds, scope);
  return new Map(
    [...features].flatMap(([key, { meter }]) => {
      const found = meter && meters.get(meter.id);
      // A level cannot be counted along event by event.
      if (found === undefined || AGGREGATIONS[found.aggregation].usageKind !== 'additive') return [];
      const { event_type, aggregation, value_property } = found;
      return [[key, { event_type, aggregation, ...(value_property !== undefined && { value_property }) }]];
    }),
  );
}
