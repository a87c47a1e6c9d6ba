import type { Kysely } from 'kysely';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';
import { defined } from '../../platform/defined.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Labels } from '../product-catalog/index.ts';
import type { PlanAddon, PlanAddonTerms } from './plan-addon-types.ts';

interface PlanAddonRow {
  id: string;
  plan_id: string;
  addon_id: string;
  name: string;
  description: string | null;
  labels: string | null;
  from_plan_phase: string;
  max_quantity: number | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

type Tables = Kysely<{ plan_addons: PlanAddonRow; plans: { id: string; deleted_at: string | null } }>;

/** The add-ons of plans. The versions themselves are kept by product-catalog. */
export function planAddonRepository(db: DbHandle) {
  const tables: Tables = withTables(db);
  return { ...reads(tables), ...writes(tables) };
}

function reads(tables: Tables) {
  const living = () => tables.selectFrom('plan_addons').where('deleted_at', 'is', null);
  return {
    /** Deleted ones too. */
    byId: async (planId: string, id: string): Promise<PlanAddon | undefined> => {
      const query = tables.selectFrom('plan_addons').selectAll().where('plan_id', '=', planId).where('id', '=', id);
      const row = await query.executeTakeFirst();
      return row && toPlanAddon(row);
    },
    livingByAddon: async (planId: string, addonId: string): Promise<PlanAddon | undefined> => {
      const row = await living()
        .selectAll()
        .where('plan_id', '=', planId)
        .where('addon_id', '=', addonId)
        .executeTakeFirst();
      return row && toPlanAddon(row);
    },
    /** All of these plans, oldest first. */
    livingOfPlans: async (planIds: readonly string[]): Promise<PlanAddon[]> => {
      const read = living().selectAll().orderBy('id');
      return (await inLists(planIds, (list) => read.where('plan_id', 'in', list).execute())).map(toPlanAddon);
    },
    page: async (planId: string, page: PageRequest): Promise<{ planAddons: PlanAddon[]; total: number }> => {
      const own = living().where('plan_id', '=', planId);
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await own
        .selectAll()
        .orderBy('created_at')
        .orderBy('id')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { planAddons: rows.map(toPlanAddon), total: Number(total) };
    },
    /** How many living plans offer the add-on. */
    countPlansOf: async (addonId: string): Promise<number> => {
      const { count } = await tables
        .selectFrom('plan_addons')
        .innerJoin('plans', 'plans.id', 'plan_addons.plan_id')
        .where('plan_addons.addon_id', '=', addonId)
        .where('plan_addons.deleted_at', 'is', null)
        .where('plans.deleted_at', 'is', null)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}

function writes(tables: Tables) {
  return {
    insert: async (planAddon: PlanAddon): Promise<void> => {
      const row: PlanAddonRow = {
        id: planAddon.id,
        plan_id: planAddon.planId,
        addon_id: planAddon.addonId,
        ...toColumns(planAddon),
        created_at: toStoredInstant(planAddon.createdAt),
        updated_at: toStoredInstant(planAddon.updatedAt),
        deleted_at: null,
      };
      await tables.insertInto('plan_addons').values(row).execute();
    },
    replace: async (id: string, terms: PlanAddonTerms, atMs: number): Promise<void> => {
      const columns = { ...toColumns(terms), updated_at: toStoredInstant(atMs) };
      await tables.updateTable('plan_addons').set(columns).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      await tables.updateTable('plan_addons').set({ deleted_at: at, updated_at: at }).where('id', '=', id).execute();
    },
  };
}

function toColumns(terms: PlanAddonTerms) {
  return {
    name: terms.name,
    description: terms.description ?? null,
    labels: terms.labels === undefined ? null : JSON.stringify(terms.labels),
    from_plan_phase: terms.fromPlanPhase,
    max_quantity: terms.maxQuantity ?? null,
  };
}

function toPlanAddon(row: PlanAddonRow): PlanAddon {
  return {
    id: row.id,
    planId: row.plan_id,
    addonId: row.addon_id,
    name: row.name,
    fromPlanPhase: row.from_plan_phase,
    createdAt: fromStoredInstant(row.created_at),
    updatedAt: fromStoredInstant(row.updated_at),
    ...defined({
      description: row.description,
      labels: row.labels === null ? undefined : (JSON.parse(row.labels) as Labels),
      maxQuantity: row.max_quantity,
      deletedAt: row.deleted_at === null ? undefined : fromStoredInstant(row.deleted_at),
    }),
  };
}
