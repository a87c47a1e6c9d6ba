import type { Labels } from '../product-catalog/index.ts';

/** What a client chooses about an add-on of a plan. */
export interface PlanAddonTerms {
  name: string;
  description?: string;
  labels?: Labels;
  /** Key of the phase from which on it can be bought. */
  fromPlanPhase: string;
  /** How many times a subscription can have it; missing: no limit, or once for an add-on of a single instance. */
  maxQuantity?: number;
}

/** An add-on that can be bought with a version of a plan. Once the plan is published the set is settled. */
export interface PlanAddon extends PlanAddonTerms {
  id: string;
  planId: string;
  addonId: string;
  createdAt: string;
  updatedAt: string;
  deletedAt?: string;
}
