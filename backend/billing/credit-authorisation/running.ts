import type { Feature } from '../../catalog/features/index.ts';
import { runningAmount } from '../../catalog/rating/index.ts';
import { Decimal, formatDecimal, sumDecimals, ZERO } from '../../platform/decimal.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Charge, chargeRepository } from '../charges/index.ts';
import type { RunningCharge } from '../credits/index.ts';
import { isTakenBack, type LineOfCharge, lineRepository, netOf } from '../invoice-records/index.ts';
import type { CreditAuthorisationDeps } from './deps.ts';

/** A charge that no invoice has worked out yet, or not all of it. */
export interface Running {
  charge: Charge;
  /** Used in its service period, in the meter's unit; 0 for a fee. */
  used: Decimal;
  /** What was worked out already and drew its credit then, or was let off: it does not come again. */
  rated: Decimal;
}

/**
 * What customers have running, by customer: usage whose period has begun, whether or not it has ended, and fees that have
 * fallen due; also those on drafts that wait for late usage. Their usage is asked for together: customers with the same periods share a query, and each reads roll-ups.
 */
export async function findRunning(
  deps: CreditAuthorisationDeps,
  scope: Scope,
  customerIds: readonly string[],
  nowOf: (customerId: string) => number,
  signal: AbortSignal | undefined,
): Promise<Map<string, Running[]>> {
  const open = await chargeRepository(scope).openOfCustomers(customerIds);
  const known = new Set(open.map(({ id }) => id));
  const collecting = (await lineRepository(scope).chargesCollecting(customerIds)).filter((id) => !known.has(id));
  const onDrafts = (await chargeRepository(scope).byIds(collecting)).filter(({ state }) => state !== 'deleted');
  const charges = [...open, ...onDrafts].filter((charge) => hasBegun(charge, nowOf(charge.customerId)));
  const lines = await lineRepository(scope).ofCharges(charges.map(({ id }) => id));
  const featureIds = charges.flatMap(({ featureId }) => featureId ?? []);
  const features = await deps.findFeatures([...new Set(featureIds)], scope);
  const subjects = await deps.findSubjects(customerIds);
  const queries = new Queries(subjects);
  const asked = charges.map((charge) => {
    const feature = charge.featureId === undefined ? undefined : features.get(charge.featureId);
    const isMetered = charge.amount === undefined && feature?.meter !== undefined;
    return { charge, key: isMetered ? queries.ask(feature, charge.servicePeriod, charge.customerId) : undefined };
  });
  await queries.run(deps, signal);
  const running = asked.map(({ charge, key }) => ({
    charge,
    used: queries.valueOf(key, charge.customerId),
    rated: ratedOf(lines.get(charge.id) ?? []),
  }));
  return Map.groupBy(running, ({ charge }) => charge.customerId);
}

function ratedOf(lines: readonly LineOfCharge[]): Decimal {
  return sumDecimals(lines.filter((line) => line.kind === 'charge' && !isTakenBack(line)).map(netOf));
}

function hasBegun({ amount, invoiceAtMs, servicePeriod }: Charge, nowMs: number): boolean {
  return (amount === undefined ? servicePeriod.fromMs : invoiceAtMs) <= nowMs;
}

/** What a running charge comes to, with more units than were counted so far. */
export function asRunningCharge({ charge, used, rated }: Running, more: Decimal): RunningCharge {
  const { id, featureKey, settlementMode: mode, amount, terms } = charge;
  const cost = amount ?? runningAmount({ terms, quantity: formatDecimal(used.add(more)) });
  // What was worked out has a run of its own.
  const total = new Decimal(cost).sub(rated);
  return { runId: `running:${id}`, mode, total, ...(featureKey !== undefined && { feature: featureKey }) };
}

/** Usage of features in periods, each asked for once for all customers who want to know it. */
class Queries {
  readonly #subjects: ReadonlyMap<string, { subjects: readonly string[] }>;
  readonly #asked = new Map<string, { feature: Feature; period: Period; customerIds: Set<string> }>();
  readonly #values = new Map<string, Decimal>();

  constructor(subjects: ReadonlyMap<string, { subjects: readonly string[] }>) {
    this.#subjects = subjects;
  }

  /** @returns what the value is asked for by */
  ask(feature: Feature, period: Period, customerId: string): string {
    const key = `${feature.id} ${period.fromMs} ${period.toMs}`;
    const query = this.#asked.get(key) ?? { feature, period, customerIds: new Set() };
    query.customerIds.add(customerId);
    this.#asked.set(key, query);
    return key;
  }

  async run(deps: CreditAuthorisationDeps, signal: AbortSignal | undefined): Promise<void> {
    const queries = Array.from(this.#asked, ([key, { feature, period, customerIds }]) => {
      const subjectGroups = new Map<string, string>();
      for (const id of customerIds) {
        for (const subject of this.#subjects.get(id)?.subjects ?? []) subjectGroups.set(subject, id);
      }
      return { key, feature, scope: { ...period, subjects: [...subjectGroups.keys()], subjectGroups } };
    }).filter(({ scope }) => scope.subjects.length > 0);
    const answers = await deps.usage.query(queries, signal);
    for (const [index, { key }] of queries.entries()) {
      for (const { subjectGroup, value } of answers[index] ?? []) {
        if (subjectGroup !== undefined) this.#values.set(`${key} ${subjectGroup}`, new Decimal(value));
      }
    }
  }

  valueOf(key: string | undefined, customerId: string): Decimal {
    return key === undefined ? ZERO : (this.#values.get(`${key} ${customerId}`) ?? ZERO);
  }
}
