import { appliedFilter, findMeters, type Meter, toMeterSpec } from '../../metering/meters/index.ts';
import type {
  DimensionFilter,
  UsageQuery,
  UsageRow,
  UsageScope,
  UsageSnapshot,
  UsageStore,
} from '../../metering/usage-store/index.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { featureRepository } from './repository.ts';
import type { Feature } from './schema.ts';

/** What to ask about a feature's usage: a usage query without what the feature itself decides. */
export type FeatureUsageScope = Partial<Omit<UsageQuery, 'meter'>>;

/** Finds customers' subjects by customer id; unknown ids are absent. */
export type FindSubjects = (ids: readonly string[]) => Promise<ReadonlyMap<string, { subjects: readonly string[] }>>;

/**
 * Usage of features. Invoices, entitlements, previews and price estimates all ask here, so that they can never disagree.
 */
export interface FeatureUsage {
  /**
   * What a customer used of features in periods, over all its subjects; "0" where it used nothing. All that one piece of
   * work wants to know is asked for together: asked one by one, it would fill the bounded queue before the store by itself.
   * @returns in the order of what was asked: plain decimal text in the meter's unit, with the moment that it was read at,
   *   which, kept beside a billed quantity, finds the events behind it
   * @throws Error for a static feature: it has no usage
   */
  measure(customerId: string, asked: readonly AskedUsage[], signal?: AbortSignal): Promise<MeasuredFeature[]>;
  /** What that figure is about, for tracing it back to its events. @throws Error for a static feature */
  scopeOf(feature: Feature, customerId: string, period: Period): Promise<UsageScope>;
  /** The rows of any queries on features' usage, asked for together. @throws Error for a static feature */
  query(asked: readonly AskedRows[], signal?: AbortSignal): Promise<UsageRow[][]>;
}

export interface AskedUsage {
  feature: Feature;
  period: Period;
}

export interface AskedRows {
  feature: Feature;
  scope: FeatureUsageScope;
}

export interface MeasuredFeature {
  value: string;
  snapshot: UsageSnapshot;
}

/**
 * The usage query of a feature: its meter, and its filters together with those of the scope, of which all must pass.
 * @param droppedPaths paths of dimensions that the meter does not have any more, kept by archived features
 */
function usageQueryOf(
  feature: Feature,
  meter: Meter,
  scope: FeatureUsageScope,
  droppedPaths: Readonly<Record<string, string>> = {},
): UsageQuery {
  const spec = toMeterSpec(meter);
  const own = Object.entries((feature.meter?.filters ?? {}) as Record<string, DimensionFilter>);
  const filters: Record<string, DimensionFilter> = { ...scope.filters };
  const dropped: Record<string, string> = {};
  for (const [name, written] of own) {
    const filter = appliedFilter(meter, spec.dimensions[name] ?? droppedPaths[name], written);
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
  scope: Scope;
  usage: UsageStore;
  findSubjects: FindSubjects;
}): FeatureUsage {
  const { scope, usage, findSubjects } = deps;
  const toQueries = async (asked: readonly AskedRows[]): Promise<UsageQuery[]> => {
    const features = asked.map(({ feature }) => feature);
    const meters = await findMeters(
      scope,
      features.flatMap(({ meter }) => meter?.id ?? []),
    );
    const archived = features.filter((feature) => feature.deleted_at !== undefined).map(({ id }) => id);
    const paths = await featureRepository(scope).dimensionPaths(archived);
    return asked.map(({ feature, scope }) => {
      if (feature.meter === undefined) throw new Error(`feature ${feature.id} is static: it has no usage`);
      const meter = meters.get(feature.meter.id);
      if (meter === undefined) throw new Error(`meter ${feature.meter.id} of feature ${feature.id} does not exist`);
      return usageQueryOf(feature, meter, scope, paths.get(feature.id));
    });
  };
  const subjectsOf = async (customerId: string) => (await findSubjects([customerId])).get(customerId)?.subjects ?? [];
  return {
    query: async (asked, signal) => {
      const answers = await usage.queryAll(await toQueries(asked), signal);
      return answers.map(({ rows }) => rows);
    },
    measure: async (customerId, asked, signal) => {
      const subjects = await subjectsOf(customerId);
      const scoped = asked.map(({ feature, period }) => ({ feature, scope: { ...period, subjects } }));
      const answers = await usage.queryAll(await toQueries(scoped), signal);
      return answers.map(({ rows, snapshot }) => ({ value: rows[0]?.value ?? '0', snapshot }));
    },
    scopeOf: async (feature, customerId, period) => {
      const subjects = await subjectsOf(customerId);
      const [query] = await toQueries([{ feature, scope: { ...period, subjects } }]);
      if (query === undefined) throw new Error('one query asked, none made');
      return { meter: query.meter, filters: query.filters, subjects, ...period };
    },
  };
}
