import type { ControlDb } from '../../platform/db/control-db.ts';
import { DomainProblem, notFound } from '../../platform/errors.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
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
  const { db, clock } = deps;
  return {
    create: (planId, addonId, terms) => db.transaction((trx) => create(deps, trx, { planId, addonId, terms })),
    get: async (planId, id) => {
      const plan = await existingPlan(db, planId);
      const [judged] = await judge(deps, db, plan, [await existing(db, planId, id)]);
      if (judged === undefined) throw new Error('one was judged');
      return judged;
    },
    list: async (planId, page) => {
      const plan = await existingPlan(db, planId);
      const { planAddons, total } = await planAddonRepository(db).page(planId, page);
      return { planAddons: await judge(deps, db, plan, planAddons), total };
    },
    update: (planId, id, terms) =>
      db.transaction(async (trx) => {
        const plan = await changeablePlan(deps, trx, planId);
        const { addonId, deletedAt } = await existing(trx, planId, id);
        if (deletedAt !== undefined) throw notFound('add-on of the plan', id);
        const issues = await issuesOf(deps, trx, { plan, addon: await existingAddon(deps, trx, addonId), terms });
        if (issues.length > 0) throw issuesProblem(issues);
        await planAddonRepository(trx).replace(id, terms, clock.nowMs());
        return { planAddon: await existing(trx, planId, id), issues };
      }),
    remove: (planId, id) =>
      db.transaction(async (trx) => {
        const { deletedAt } = await existing(trx, planId, id);
        if (deletedAt !== undefined) return;
        await changeablePlan(deps, trx, planId);
        await planAddonRepository(trx).markDeleted(id, clock.nowMs());
      }),
  };
}

/** What keeps an add-on from being deleted: plans that offer it. */
export async function plansBlockAddonDeletion(addonId: string, db: ControlDb): Promise<DomainProblem | undefined> {
  const plans = await planAddonRepository(db).countPlansOf(addonId);
  if (plans === 0) return undefined;
  return new DomainProblem('bad-request', `add-on ${addonId} cannot be deleted: ${plans} plans offer it`);
}

async function create(
  deps: PlanDeps,
  trx: ControlDb,
  { planId, addonId, terms }: { planId: string; addonId: string; terms: PlanAddonTerms },
): Promise<JudgedPlanAddon> {
  const { clock, newId, lookups } = deps;
  const planAddons = planAddonRepository(trx);
  const plan = await changeablePlan(deps, trx, planId);
  const addon = await existingAddon(deps, trx, addonId);
  if ((await planAddons.livingByAddon(planId, addonId)) !== undefined) {
    throw new DomainProblem('resource-conflict', `plan ${planId} has add-on ${addonId} already`);
  }
  if (addon.deletedAt !== undefined || addonStatusAt(addon, clock.nowMs()) !== 'active') {
    throw issuesProblem([issue('plan_addon_incompatible_status', 'addon.status')]);
  }
  const references = await lookUpPlanReferences(lookups, [plan], [addon], trx);
  const currencyIssues = findPlanAddonCurrencyIssues(terms, plan, addon, references);
  if (currencyIssues.length > 0) throw issuesProblem(currencyIssues);
  const at = formatInstant(clock.nowMs());
  const id = newId();
  await planAddons.insert({ id, planId, addonId, ...terms, createdAt: at, updatedAt: at });
  const issues = await issuesOf(deps, trx, { plan, addon, terms });
  return { planAddon: await existing(trx, planId, id), issues };
}

async function judge(
  deps: PlanDeps,
  db: ControlDb,
  plan: Plan,
  planAddons: readonly PlanAddon[],
): Promise<JudgedPlanAddon[]> {
  if (!isChangeable(plan, deps.clock.nowMs())) return planAddons.map((planAddon) => ({ planAddon, issues: [] }));
  const addons = await deps.findAddons(
    planAddons.map((planAddon) => planAddon.addonId),
    db,
  );
  const context = {
    references: await lookUpPlanReferences(deps.lookups, [plan], [...addons.values()], db),
    atMs: deps.clock.nowMs(),
  };
  return planAddons.map((planAddon) => {
    const addon = addons.get(planAddon.addonId);
    const issues = addon === undefined ? [] : findPlanAddonIssues(planAddon, plan, addon, context);
    return { planAddon, issues };
  });
}

async function issuesOf(
  { clock, lookups }: PlanDeps,
  db: ControlDb,
  { plan, addon, terms }: { plan: Plan; addon: Addon; terms: PlanAddonTerms },
): Promise<CatalogIssue[]> {
  const references = await lookUpPlanReferences(lookups, [plan], [addon], db);
  return findPlanAddonIssues(terms, plan, addon, { references, atMs: clock.nowMs() });
}

async function existing(db: ControlDb, planId: string, id: string): Promise<PlanAddon> {
  const found = await planAddonRepository(db).byId(planId, id);
  if (found === undefined) throw notFound('add-on of the plan', id);
  return found;
}

async function existingAddon({ findAddons }: PlanDeps, db: ControlDb, id: string): Promise<Addon> {
  const addon = (await findAddons([id], db)).get(id);
  if (addon === undefined) throw notFound('add-on', id);
  return addon;
}

async function existingPlan(db: ControlDb, id: string): Promise<Plan> {
  const version = await versionRepository<PlanContent>(db, 'plans').byId(id);
  if (version === undefined) throw notFound('plan', id);
  return toPlan(version);
}

/** @throws DomainProblem 400 when the plan was published: what customers can buy is settled then */
async function changeablePlan({ clock }: PlanDeps, db: ControlDb, id: string): Promise<Plan> {
  const plan = await existingPlan(db, id);
  if (isChangeable(plan, clock.nowMs())) return plan;
  const status = plan.deletedAt === undefined ? statusAt(plan, clock.nowMs()) : 'deleted';
  const message = `plan ${id} is ${status}: its add-ons cannot be changed`;
  throw issuesProblem([{ ...issue('plan_invalid_status', 'plan.status', { status }), message }]);
}

function isChangeable(plan: Plan, atMs: number): boolean {
  const status = statusAt(plan, atMs);
  return plan.deletedAt === undefined && (status === 'draft' || status === 'scheduled');
}
