import { chargesFee } from '../../catalog/rating/index.ts';
import { type CustomerScope, customerScope } from '../../customers/test-clocks/index.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { currencyOf } from '../charges/index.ts';
import { isMissing, rateLine, readUsage, type StoredRating, usageBehind } from '../invoice-records/index.ts';
import type { TraceDeps } from './deps.ts';
import { eventsOf, type TracedEventPage } from './events.ts';
import type { Explanation } from './schema.ts';
import { type Traced, tracedCharge, tracedLine } from './subject.ts';
import { whyEmpty } from './why-empty.ts';

/** Every line traces back: to its events, and to the steps that made money of them. */
export interface TraceService {
  /** @throws RequestProblem 404 */
  eventsOfLine(invoiceId: string, lineId: string, page: CursorRequest): Promise<TracedEventPage>;
  explainLine(invoiceId: string, lineId: string): Promise<Explanation>;
  eventsOfCharge(customerId: string, chargeId: string, page: CursorRequest): Promise<TracedEventPage>;
  explainCharge(customerId: string, chargeId: string): Promise<Explanation>;
}

export function createTraceService(scope: Scope, deps: TraceDeps): TraceService {
  return {
    eventsOfLine: async (invoiceId, lineId, page) =>
      eventsOf(deps, scope, await tracedLine(scope, invoiceId, lineId), page),
    explainLine: async (invoiceId, lineId) => explain(deps, scope, await tracedLine(scope, invoiceId, lineId)),
    eventsOfCharge: async (customerId, chargeId, page) =>
      eventsOf(deps, scope, await tracedCharge(scope, customerId, chargeId), page),
    explainCharge: async (customerId, chargeId) =>
      explain(deps, scope, await tracedCharge(scope, customerId, chargeId)),
  };
}

async function explain(deps: TraceDeps, root: Scope, traced: Traced): Promise<Explanation> {
  const scope = await customerScope(root, traced.customerId);
  const usage = await usageBehind(deps, scope, traced);
  const feature =
    traced.featureId === undefined
      ? undefined
      : (await deps.findFeatures([traced.featureId], scope)).get(traced.featureId);
  const meterId = feature?.meter?.id;
  const meter = meterId === undefined ? undefined : (await deps.findMeters([meterId], scope)).get(meterId);
  const { quantity, rated } = await ratedNow(deps, scope, traced);
  const isFee =
    (traced.line !== undefined && chargesFee(traced.line.terms.price)) || traced.charge?.amount !== undefined;
  return {
    ...(traced.line !== undefined && { line_id: traced.line.id }),
    ...(traced.charge !== undefined && { charge_id: traced.charge.id }),
    name: traced.name,
    service_period: toTextPeriod(traced.period),
    ...(feature !== undefined && { feature: { id: feature.id, key: feature.key } }),
    ...(meter !== undefined && {
      meter: { id: meter.id, key: meter.key, aggregation: meter.aggregation, event_type: meter.event_type },
    }),
    filters: (usage?.filters ?? {}) as Explanation['filters'],
    subjects: [...(usage?.subjects ?? [])],
    ...(quantity !== undefined && !isFee && { quantity }),
    ...(traced.countedAtMs !== undefined && { counted_at: formatInstant(traced.countedAtMs) }),
    total: rated?.totals.total ?? '0',
    steps: [...(rated?.explanation ?? []), ...(rated?.detailedLines.flatMap((line) => line.explanation) ?? [])],
    empty_because: isFee ? [] : await whyEmpty(deps, scope, traced, quantity ?? '0'),
  };
}

/** What the line was rated with, or what the charge would cost now. */
async function ratedNow(
  deps: TraceDeps,
  scope: CustomerScope,
  { line, charge, customerId }: Traced,
): Promise<{ quantity?: string; rated?: StoredRating }> {
  if (line?.rated !== undefined) return { quantity: line.quantity ?? line.rated.rawQuantity, rated: line.rated };
  if (charge === undefined) return {};
  const period = line?.servicePeriod ?? charge.servicePeriod;
  const measured =
    charge.amount === undefined ? await readUsage(deps, scope, charge, customerId, period) : { value: '0' };
  if (isMissing(measured)) return {};
  const terms =
    charge.amount === undefined
      ? charge.terms
      : { ...charge.terms, price: { type: 'flat' as const, amount: charge.amount } };
  const whole = {
    name: charge.name,
    terms,
    quantity: measured.value,
    servicePeriod: period,
    fullServicePeriod: period,
    splitPosition: 'single' as const,
    previousQuantity: '0',
    previouslyBilledAmount: '0',
  };
  return {
    quantity: measured.value,
    rated: rateLine(whole, await currencyOf(deps, charge.currency, scope), scope.newId),
  };
}
