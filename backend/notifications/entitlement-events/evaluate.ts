import type { Reading } from '../../customers/entitlements/index.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import { rawJson } from '../../platform/json.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Rule, RulesService, Threshold } from '../rules/index.ts';
import { type ThresholdKey, textOf, thresholdRepository } from './repository.ts';
import { follow, inOrder, type Measured, type ThresholdState } from './thresholds.ts';

export interface EvaluateDeps {
  rules: Pick<RulesService, 'inForceFor' | 'tell'>;
  readings(customerIds: readonly string[]): Promise<readonly Reading[]>;
  customers(
    ids: readonly string[],
  ): Promise<readonly { id: string; key: string; name: string; deleted_at?: string | undefined }[]>;
}

type Customers = ReadonlyMap<string, { id: string; key: string; name: string }>;

/** Holds what is left of customers' entitlements against the rules, and tells what was crossed or has begun anew. */
export async function evaluate(deps: EvaluateDeps, root: Scope, customerIds: readonly string[]): Promise<void> {
  const readings = await deps.readings(customerIds);
  if (readings.length === 0) return;
  const living = (await deps.customers(customerIds)).filter(({ deleted_at }) => deleted_at === undefined);
  const customers: Customers = new Map(living.map(({ id, key, name }) => [id, { id, key, name }]));
  const watched = readings.filter(({ customerId }) => customers.has(customerId));
  await root.transaction(async (scope) => {
    await tellThresholds(deps, scope, watched, customers);
    await tellResets(deps, scope, watched, customers);
  });
}

/** Rules by the features that they are for. */
async function rulesFor(deps: EvaluateDeps, scope: Scope, type: Rule['type'], readings: readonly Reading[]) {
  const featureIds = [...new Set(readings.map(({ feature }) => feature.id))];
  const found = await deps.rules.inForceFor(type, featureIds, scope);
  const featuresOf = new Map(found.map((rule) => [rule.id, featureIdsOf(rule)]));
  return (featureId: string) => found.filter(({ id }) => featuresOf.get(id)?.has(featureId) ?? true);
}

/** undefined: all. */
function featureIdsOf({ settings }: Rule): ReadonlySet<string> | undefined {
  const features = settings['features'] as readonly { id: string }[] | undefined;
  return features === undefined || features.length === 0 ? undefined : new Set(features.map(({ id }) => id));
}

async function tellThresholds(deps: EvaluateDeps, scope: Scope, readings: readonly Reading[], customers: Customers) {
  const rulesOf = await rulesFor(deps, scope, 'entitlements.balance.threshold', readings);
  const repository = thresholdRepository(scope);
  const known = await repository.states(readings.map(({ entitlement }) => entitlement.id));
  const changed: { key: ThresholdKey; state: ThresholdState }[] = [];
  const kept = new Set<string>();
  await mapInSlices(readings, async (reading) => {
    const measured = measuredOf(reading);
    for (const rule of rulesOf(reading.feature.id)) {
      for (const threshold of inOrder(rule.settings['thresholds'] as readonly Threshold[], measured)) {
        const key = {
          ruleId: rule.id,
          entitlementId: reading.entitlement.id,
          threshold: `${threshold.type} ${threshold.value}`,
        };
        const text = textOf(key);
        const before = known.get(text);
        kept.add(text);
        const { state, isTold } = follow(threshold, measured, before);
        if (before === undefined || isOther(state, before)) changed.push({ key, state });
        if (!isTold) continue;
        const data = { ...dataOf(reading, customers), threshold: { ...threshold, value: rawJson(threshold.value) } };
        // Two who evaluate at the same time tell it once.
        const dedupeKey = `${text} ${state.periodFromMs} ${state.crossings}`;
        await tell(deps, scope, rule, reading, { data, dedupeKey });
      }
    }
  });
  await repository.setStates(changed);
  await repository.forget([...known].flatMap(([text, { key }]) => (kept.has(text) ? [] : [key])));
}

function isOther(a: ThresholdState, b: ThresholdState): boolean {
  return a.isCrossed !== b.isCrossed || a.periodFromMs !== b.periodFromMs || a.crossings !== b.crossings;
}

/** What began before anybody looked is no news. */
async function tellResets(deps: EvaluateDeps, scope: Scope, readings: readonly Reading[], customers: Customers) {
  const rulesOf = await rulesFor(deps, scope, 'entitlements.reset', readings);
  const repository = thresholdRepository(scope);
  const known = await repository.periods(readings.map(({ entitlement }) => entitlement.id));
  const begun = new Map<string, number>();
  for (const reading of readings) {
    const { id } = reading.entitlement;
    const { fromMs } = reading.period;
    const before = known.get(id);
    if (before === fromMs) continue;
    begun.set(id, fromMs);
    if (before === undefined || fromMs < before) continue;
    for (const rule of rulesOf(reading.feature.id)) {
      const dedupeKey = `reset ${rule.id} ${id} ${fromMs}`;
      await tell(deps, scope, rule, reading, { data: dataOf(reading, customers), dedupeKey });
    }
  }
  await repository.setPeriods(begun);
}

function tell(
  { rules }: EvaluateDeps,
  scope: Scope,
  rule: Rule,
  { feature }: Reading,
  { data, dedupeKey }: { data: ReturnType<typeof dataOf>; dedupeKey: string },
): Promise<string | undefined> {
  return rules.tell(scope, rule, { data, subject: data.subject.key, featureKey: feature.key, dedupeKey });
}

function measuredOf({ period, usage, balance, limit }: Reading): Measured {
  return { periodFromMs: period.fromMs, usage, balance, limit };
}

function dataOf(reading: Reading, customers: Customers) {
  const { entitlement, feature, customerId, hasAccess, period } = reading;
  const customer = customers.get(customerId) ?? { id: customerId, key: '', name: '' };
  return {
    entitlement,
    feature,
    subject: { key: customer.key },
    customer,
    value: {
      has_access: hasAccess,
      balance: formatDecimal(reading.balance),
      usage: formatDecimal(reading.usage),
      overage: formatDecimal(reading.overage),
      total_available_grant_amount: formatDecimal(reading.limit),
    },
    context: { period: toTextPeriod(period) },
  };
}
