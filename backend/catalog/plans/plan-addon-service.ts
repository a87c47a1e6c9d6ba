import { DomainProblem, notFound } from '../../platform/errors.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Addon, addonStatusAt } from '../addons/index.ts';
import { type CatalogIssue, issue, issuesProblem, statusAt, versionRepository } from '../product-catalog/index.ts';
import { findPlanAddonCurrencyIssues, findPlanAddonIssues } from './plan-addon-rules.ts';
import type { PlanAddon, PlanAddonTerms } from './plan-addon-types.ts';
import { lookUpPlanReferences, type PlanDeps } from './plan-kind.ts';
import { type PlanContent, toPlan } from './plan-mapping.ts';
import { planAddonRepository } from './repository.ts';
import type { Plan } from './types.ts';

/** An add-on of a plan and why it does not fit; empty once the plan is published. */
export interface JudgedPlanAddon {
  planAddon: PlanAddon;
  issues: readonly CatalogIssue[];
}

/** Which add-ons can be bought with a plan. Only the plan's draft changes. */
export interface PlanAddonsService {
  /**
   * @throws RequestProblem 404 for the plan and for the add-on
   * @throws DomainProblem 400 when the plan is no draft, the add-on not active, or the currencies differ; 409 when the
   * plan has the add-on
   */
  create(planId: string, addonId: string, terms: PlanAddonTerms): Promise<JudgedPlanAddon>;
  /** Deleted ones are found too. @throws RequestProblem 404 */
  get(planId: string, id: string): Promise<JudgedPlanAddon>;
  /** Living ones, oldest first. @throws RequestProblem 404 */
  list(planId: string, page: PageRequest): Promise<{ planAddons: JudgedPlanAddon[]; total: number }>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 for anything that does not fit, and when the plan is no draft */
  update(planId: string, id: string, terms: PlanAddonTerms): Promise<JudgedPlanAddon>;
  /** Deleting twice does nothing. @throws RequestProblem 404 @throws DomainProblem 400 when the plan is no draft */
  remove(planId: string, id: string): Promise<void>;
}

export function createPlanAddonsService(deps: PlanDeps): PlanAddonsService {
  const { scope } = deps;
  return {
    create: (planId, addonId, terms) => scope.transaction((scope) => create(deps, scope, { planId, addonId, terms })),
    get: async (planId, id) => {
      const plan = await existingPlan(scope, planId);
      const [judged] = await judge(deps, scope, plan, [await existing(scope, planId, id)]);
      if (judged === undefined) throw new Error('one was judged');
      return judged;
    },
    list: async (planId, page) => {
      const plan = await existingPlan(scope, planId);
      const { planAddons, total } = await planAddonRepository(scope).page(planId, page);
      return { planAddons: await judge(deps, scope, plan, planAddons), total };
    },
    update: (planId, id, terms) =>
      scope.transaction(async (scope) => {
        const plan = await changeablePlan(scope, planId);
        const { addonId, deletedAt } = await existing(scope, planId, id);
        if (deletedAt !== undefined) throw notFound('add-on of the plan', id);
        const issues = await issuesOf(deps, scope, { plan, addon: await existingAddon(deps, scope, addonId), terms });
        if (issues.length > 0) throw issuesProblem(issues);
        await planAddonRepository(scope).replace(id, terms, scope.clock.nowMs());
        return { planAddon: await existing(scope, planId, id), issues };
      }),
    remove: (planId, id) =>
      scope.transaction(async (scope) => {
        const { deletedAt } = await existing(scope, planId, id);
        if (deletedAt !== undefined) return;
        await changeablePlan(scope, planId);
        await planAddonRepository(scope).markDeleted(id, scope.clock.nowMs());
      }),
  };
}

/** What keeps an add-on from being deleted: plans that offer it. */
export async function plansBlockAddonDeletion(addonId: string, scope: Scope): Promise<DomainProblem | undefined> {
  const plans = await planAddonRepository(scope).countPlansOf(addonId);
  if (plans === 0) return undefined;
  return new DomainProblem('bad-request', `add-on ${addonId} cannot be deleted: ${plans} plans offer it`);
}

async function create(
  deps: PlanDeps,
  scope: Scope,
  { planId, addonId, terms }: { planId: string; addonId: string; terms: PlanAddonTerms },
): Promise<JudgedPlanAddon> {
  const { lookups } = deps;
  const planAddons = planAddonRepository(scope);
  const plan = await changeablePlan(scope, planId);
  const addon = await existingAddon(deps, scope, addonId);
  if ((await planAddons.livingByAddon(planId, addonId)) !== undefined) {
    throw new DomainProblem('resource-conflict', `plan ${planId} has add-on ${addonId} already`);
  }
  if (addon.deletedAt !== undefined || addonStatusAt(addon, scope.clock.nowMs()) !== 'active') {
    throw issuesProblem([issue('plan_addon_incompatible_status', 'addon.status')]);
  }
  const references = await lookUpPlanReferences(lookups, [plan], [addon], scope);
  const currencyIssues = findPlanAddonCurrencyIssues(terms, plan, addon, references);
  if (currencyIssues.length > 0) throw issuesProblem(currencyIssues);
  const at = formatInstant(scope.clock.nowMs());
  const id = scope.newId();
  await planAddons.insert({ id, planId, addonId, ...terms, createdAt: at, updatedAt: at });
  const issues = await issuesOf(deps, scope, { plan, addon, terms });
  return { planAddon: await existing(scope, planId, id), issues };
}

async function judge(
  deps: PlanDeps,
  scope: Scope,
  plan: Plan,
  planAddons: readonly PlanAddon[],
): Promise<JudgedPlanAddon[]> {
  if (!isChangeable(plan, scope.clock.nowMs())) return planAddons.map((planAddon) => ({ planAddon, issues: [] }));
  const addons = await deps.findAddons(
    planAddons.map((planAddon) => planAddon.addonId),
    scope,
  );
  const context = {
    references: await lookUpPlanReferences(deps.lookups, [plan], [...addons.values()], scope),
    atMs: scope.clock.nowMs(),
  };
  return planAddons.map((planAddon) => {
    const addon = addons.get(planAddon.addonId);
    const issues = addon === undefined ? [] : findPlanAddonIssues(planAddon, plan, addon, context);
    return { planAddon, issues };
  });
}

async function issuesOf(
  { lookups }: PlanDeps,
  scope: Scope,
  { plan, addon, terms }: { plan: Plan; addon: Addon; terms: PlanAddonTerms },
): Promise<CatalogIssue[]> {
  const references = await lookUpPlanReferences(lookups, [plan], [addon], scope);
  return findPlanAddonIssues(terms, plan, addon, { references, atMs: scope.clock.nowMs() });
}

async function existing(scope: Scope, planId: string, id: string): Promise<PlanAddon> {
  const found = await planAddonRepository(scope).byId(planId, id);
  if (found === undefined) throw notFound('add-on of the plan', id);
  return found;
}

async function existingAddon({ findAddons }: PlanDeps, scope: Scope, id: string): Promise<Addon> {
  const addon = (await findAddons([id], scope)).get(id);
  if (addon === undefined) throw notFound('add-on', id);
  return addon;
}

async function existingPlan(scope: Scope, id: string): Promise<Plan> {
  const version = await versionRepository<PlanContent>(scope, 'plans').byId(id);
  if (version === undefined) throw notFound('plan', id);
  return toPlan(version);
}

/** @throws DomainProblem 400 when the plan was published: what customers can buy is settled then */
async function changeablePlan(scope: Scope, id: string): Promise<Plan> {
  const plan = await existingPlan(scope, id);
  if (isChangeable(plan, scope.clock.nowMs())) return plan;
  const status = plan.deletedAt === undefined ? statusAt(plan, scope.clock.nowMs()) : 'deleted';
  const message = `plan ${id} is ${status}: its add-ons cannot be changed`;
  throw issuesProblem([{ ...issue('plan_invalid_status', 'plan.status', { status }), message }]);
}

function isChangeable(plan: Plan, atMs: number): boolean {
  const status = statusAt(plan, atMs);
  return plan.deletedAt === undefined && (status === 'draft' || status === 'scheduled');
}
