import { findMeters, type Meter } from '../../metering/meters/index.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { featureArchived, featureKeyTaken, featureNotFound, invalidFeature, meterMissing } from './errors.ts';
import { featureRepository } from './repository.ts';
import { dimensionsInUse, findProblems, unitCostProblems } from './rules.ts';
import type {
  CreateFeature,
  Feature,
  FeatureFilterField,
  FeaturePage,
  FeatureSortField,
  UpdateFeature,
} from './schema.ts';

export const FEATURE_SORT: SortRules<FeatureSortField> = {
  fields: ['created_at', 'key', 'name', 'updated_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};

/**
 * What keeps a feature from being archived, told by modules above: active plans and subscriptions that use it. Asked
 * inside the transaction, with its scope.
 */
export interface FeatureUsers {
  /** Why the feature may not be archived (403 in the reference implementation); undefined when it may. */
  blocksArchiving(feature: Feature, scope: Scope): Promise<DomainProblem | undefined>;
}

const NO_USERS: FeatureUsers = { blocksArchiving: async () => undefined };

export interface FeaturesService {
  /** @throws DomainProblem 400 with codes, 409 for a key in use @throws RequestProblem 400 for an unknown meter */
  create(request: CreateFeature): Promise<Feature>;
  /** Archived features are found too; they carry `deleted_at`. @throws RequestProblem 404 */
  get(id: string): Promise<Feature>;
  /** Living features. */
  list(
    filters: readonly FilterCondition<FeatureFilterField>[],
    sort: Sort<FeatureSortField>,
    page: PageRequest,
  ): Promise<FeaturePage>;
  /** Changes the unit cost. @throws RequestProblem 404, also for an archived feature @throws DomainProblem 400 */
  update(id: string, request: UpdateFeature): Promise<Feature>;
  /** Archives; a second time does nothing. @throws RequestProblem 404 @throws DomainProblem what a user says */
  archive(id: string): Promise<void>;
}

/** Features and their rules. */
export function createFeaturesService(deps: { scope: Scope; users?: FeatureUsers }): FeaturesService {
  const { scope, users = NO_USERS } = deps;
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        const features = featureRepository(scope);
        const meter = request.meter && (await livingMeter(scope, request.meter.id));
        const [first, ...more] = findProblems(request, meter);
        if (first !== undefined) throw invalidFeature([first, ...more]);
        const holder = await features.livingByKey(request.key);
        if (holder !== undefined) throw featureKeyTaken(request.key, holder.id);
        const at = formatInstant(scope.clock.nowMs());
        const id = scope.newId();
        await features.insert({ id, ...request, created_at: at, updated_at: at });
        return existing(scope, id);
      }),
    get: (id) => existing(scope, id),
    list: async (filters, sort, page) => {
      const { features, total } = await featureRepository(scope).page(filters, sort, page);
      return { data: features, meta: pageMeta(page, total) };
    },
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const feature = await existing(scope, id);
        if (feature.deleted_at !== undefined) throw featureArchived(id, feature.deleted_at);
        if (request.unit_cost === undefined) return feature;
        const unitCost = request.unit_cost ?? undefined;
        const [first, ...more] = unitCostProblems(unitCost, await meterOf(scope, feature));
        if (first !== undefined) throw invalidFeature([first, ...more]);
        await featureRepository(scope).setUnitCost(id, unitCost, scope.clock.nowMs());
        return existing(scope, id);
      }),
    archive: (id) =>
      scope.transaction(async (scope) => {
        const feature = await existing(scope, id);
        if (feature.deleted_at !== undefined) return;
        const blocked = await users.blocksArchiving(feature, scope);
        if (blocked !== undefined) throw blocked;
        const used = dimensionsInUse(feature);
        const dimensions = Object.entries((await meterOf(scope, feature))?.dimensions ?? {});
        const paths = Object.fromEntries(dimensions.filter(([name]) => used.has(name)));
        await featureRepository(scope).archive(id, paths, scope.clock.nowMs());
      }),
  };
}

async function existing(scope: Scope, id: string): Promise<Feature> {
  const [feature] = await featureRepository(scope).byIds([id]);
  if (feature === undefined) throw featureNotFound(id);
  return feature;
}

async function livingMeter(scope: Scope, id: string): Promise<Meter> {
  const meter = (await findMeters(scope, [id])).get(id);
  if (meter === undefined || meter.deleted_at !== undefined) throw meterMissing(id, meter !== undefined);
  return meter;
}

async function meterOf(scope: Scope, feature: Feature): Promise<Meter | undefined> {
  return feature.meter && (await findMeters(scope, [feature.meter.id])).get(feature.meter.id);
}
