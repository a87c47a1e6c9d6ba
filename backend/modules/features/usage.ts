import type { ControlDb } from '../../platform/db/control-db.ts';
import type {
  DimensionFilter,
  UsageQuery,
  UsageRow,
  UsageScope,
  UsageSnapshot,
  UsageStore,
} from '../../usage-store/index.ts';
import { findMeters, type Meter, toMeterSpec } from '../meters/index.ts';
import { featureRepository } from './repository.ts';
import type { Feature } from './schema.ts';

/** What to ask about a feature's usage: a usage query without what the feature itself decides. */
export type FeatureUsageScope = Partial<Omit<UsageQuery, 'meter'>>;

/** A half-open span of time. */
export interface UsagePeriod {
  fromMs: number;
  toMs: number;
}

/** Finds customers' subjects by customer id; unknown ids are absent. */
export type FindSubjects = (ids: readonly string[]) => Promise<ReadonlyMap<string, { subjects: readonly string[] }>>;

/**
 * Usage of features. Invoices, entitlements, previews and price estimates all ask here, so that they can never disagree.
 */
export interface FeatureUsage {
  /**
   * What a customer used of a feature in a period, over all its subjects; "0" when it used nothing.
   * @returns plain decimal text, in the meter's unit
   * @throws Error for a static feature: it has no usage
   */
  ofCustomer(feature: Feature, customerId: string, period: UsagePeriod, signal?: AbortSignal): Promise<string>;
  /** The same, with the moment that it was read at: kept beside a billed quantity, it finds the events behind it. */
  measure(
    feature: Feature,
    customerId: string,
    period: UsagePeriod,
  ): Promise<{ value: string; snapshot: UsageSnapshot }>;
  /** What that figure is about, for tracing it back to its events. @throws Error for a static feature */
  scopeOf(feature: Feature, customerId: string, period: UsagePeriod): Promise<UsageScope>;
  /** The rows of any query on a feature's usage. @throws Error for a static feature */
  query(feature: Feature, scope: FeatureUsageScope, signal?: AbortSignal): Promise<UsageRow[]>;
}

/**
 * The usage query of a feature: its meter, and its filters together with those of the scope, of which all must pass.
 * @param droppedPaths paths of dimensions that the meter does not have any more, kept by archived features
 */
export function usageQueryOf(
  feature: Feature,
  meter: Meter,
  scope: FeatureUsageScope,
  droppedPaths: Readonly<Record<string, string>> = {},
): UsageQuery {
  const spec = toMeterSpec(meter);
  const own = Object.entries((feature.meter?.filters ?? {}) as Record<string, DimensionFilter>);
  const filters: Record<string, DimensionFilter> = { ...scope.filters };
  const dropped: Record<string, string> = {};
  for (const [name, filter] of own) {
    const other = filters[name];
    filters[name] = other === undefined ? filter : { and: [filter, other] };
    const path = droppedPaths[name];
    if (!Object.hasOwn(spec.dimensions, name) && path !== undefined) dropped[name] = path;
  }
  return {
    fromMs: undefined,
    toMs: undefined,
    granularity: undefined,
    timeZone: 'UTC',
    groupBy: [],
    groupBySubject: false,
    ...scope,
    // A meter with another dimension has no figures kept ahead: the query reads events, slower and as right.
    meter: Object.keys(dropped).length === 0 ? spec : { ...spec, dimensions: { ...spec.dimensions, ...dropped } },
    filters,
  };
}

export function createFeatureUsage(deps: {
  db: ControlDb;
  usage: UsageStore;
  findSubjects: FindSubjects;
}): FeatureUsage {
  const { db, usage, findSubjects } = deps;
  const toQuery = async (feature: Feature, scope: FeatureUsageScope): Promise<UsageQuery> => {
    if (feature.meter === undefined) throw new Error(`feature ${feature.id} is static: it has no usage`);
    const meter = (await findMeters(db, [feature.meter.id])).get(feature.meter.id);
    if (meter === undefined) throw new Error(`meter ${feature.meter.id} of feature ${feature.id} does not exist`);
    const paths = feature.deleted_at === undefined ? {} : await featureRepository(db).dimensionPaths(feature.id);
    return usageQueryOf(feature, meter, scope, paths);
  };
  const query: FeatureUsage['query'] = async (feature, scope, signal) =>
    usage.query(await toQuery(feature, scope), signal);
  const subjectsOf = async (customerId: string) => (await findSubjects([customerId])).get(customerId)?.subjects ?? [];
  return {
    query,
    ofCustomer: async (feature, customerId, period, signal) => {
      const [row] = await query(feature, { ...period, subjects: await subjectsOf(customerId) }, signal);
      return row?.value ?? '0';
    },
    measure: async (feature, customerId, period) => {
      const scope = await toQuery(feature, { ...period, subjects: await subjectsOf(customerId) });
      const { rows, snapshot } = await usage.queryWithSnapshot(scope);
      return { value: rows[0]?.value ?? '0', snapshot };
    },
    scopeOf: async (feature, customerId, period) => {
      const subjects = await subjectsOf(customerId);
      const { meter, filters } = await toQuery(feature, { ...period, subjects });
      return { meter, filters, subjects, ...period };
    },
  };
}
