import type { DomainProblem } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Addon, Addons } from '../addons/index.ts';
import {
  type CatalogIssue,
  type CatalogLookups,
  issue,
  lookUpReferences,
  type References,
  type VersionKind,
} from '../product-catalog/index.ts';
import { findPlanAddonIssues } from './plan-addon-rules.ts';
import type { PlanAddon } from './plan-addon-types.ts';
import { type PlanContent, toPlan } from './plan-mapping.ts';
import { findPlanIssues } from './plan-rules.ts';
import { planAddonRepository } from './repository.ts';
import type { Plan } from './types.ts';

export interface PlanDeps {
  scope: Scope;
  lookups: CatalogLookups;
  /** `addons.findByIds` will do. */
  findAddons: Addons['findByIds'];
  blockers: PlanBlockers;
}

/**
 * What keeps a plan, told by modules above; the answer is the problem to refuse the request with. Asked inside the
 * transaction of the change, with its scope.
 */
export interface PlanBlockers {
  deletion(planId: string, scope: Scope): Promise<DomainProblem | undefined>;
}

/** What makes plans different from add-ons. */
export function planKind(deps: PlanDeps): VersionKind<PlanContent> {
  return {
    table: 'plans',
    noun: 'plan',
    statusCodes: { change: 'plan_invalid_status', publish: 'plan_invalid_status' },
    findIssues: (versions, scope) => findIssues(deps, versions.map(toPlan), scope),
    blocksDeletion: (id, scope) => deps.blockers.deletion(id, scope),
    afterCopy: (sourceId, copyId, scope) => copyPlanAddons(sourceId, copyId, scope),
  };
}

async function findIssues(
  { lookups, findAddons }: PlanDeps,
  plans: readonly Plan[],
  scope: Scope,
): Promise<ReadonlyMap<string, readonly CatalogIssue[]>> {
  const assignments = await planAddonRepository(scope).livingOfPlans(plans.map((plan) => plan.id));
  const addons = await findAddons(
    assignments.map((assignment) => assignment.addonId),
    scope,
  );
  const references = await lookUpPlanReferences(lookups, plans, [...addons.values()], scope);
  const byPlan = Map.groupBy(assignments, (assignment) => assignment.planId);
  const atMs = scope.clock.nowMs();
  return new Map(
    plans.map((plan) => {
      const own = byPlan.get(plan.id) ?? [];
      const context = { references, atMs, addons };
      return [
        plan.id,
        [...findPlanIssues(plan, references), ...own.flatMap((assigned) => addonIssues(plan, assigned, context))],
      ];
    }),
  );
}

/** Looks up all that the plans and add-ons name. */
export function lookUpPlanReferences(
  lookups: CatalogLookups,
  plans: readonly Plan[],
  addons: readonly Addon[],
  scope: Scope,
): Promise<References> {
  const planCards = plans.flatMap((plan) => plan.phases.flatMap((phase) => phase.rateCards));
  const addonCards = addons.flatMap((addon) => addon.rateCards);
  const currencies = [...plans, ...addons].map((version) => version.currency);
  return lookUpReferences(lookups, [...planCards, ...addonCards], currencies, scope);
}

function addonIssues(
  plan: Plan,
  assignment: PlanAddon,
  { addons, ...context }: { references: References; atMs: number; addons: ReadonlyMap<string, Addon> },
): CatalogIssue[] {
  const addon = addons.get(assignment.addonId);
  if (addon === undefined) throw new Error(`add-on ${assignment.addonId} of plan ${plan.id} is missing`);
  const found = findPlanAddonIssues(assignment, plan, addon, context);
  if (found.length === 0) return [];
  const codes = [...new Set(found.map(({ code }) => code))];
  const attributes = { plan_addon_id: assignment.id, addon_id: addon.id, addon_key: addon.key, codes };
  return [issue('plan_has_incompatible_addon', `addons.${addon.key}`, attributes)];
}

/** The new draft offers what the version offered that it was made from. */
async function copyPlanAddons(sourceId: string, copyId: string, scope: Scope): Promise<void> {
  const repository = planAddonRepository(scope);
  for (const assignment of await repository.livingOfPlans([sourceId])) {
    const at = formatInstant(scope.clock.nowMs());
    await repository.insert({ ...assignment, id: scope.newId(), planId: copyId, createdAt: at, updatedAt: at });
  }
}
