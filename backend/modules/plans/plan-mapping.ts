import { defined } from '../../platform/defined.ts';
import {
  type CatalogIssue,
  fromPhase,
  type Labels,
  type PhaseBody,
  type SettlementMode,
  statusAt,
  toPhase,
  toValidationErrors,
  type ValidationErrorBody,
} from '../product-catalog/index.ts';
import type { UpsertPlan } from './schema.ts';
import type { Plan, PlanContent, PlanStatus } from './types.ts';

/** A plan as answers carry it. */
export interface PlanBody {
  id: string;
  name: string;
  description?: string;
  labels?: Labels;
  created_at: string;
  updated_at: string;
  deleted_at?: string;
  key: string;
  version: number;
  currency: string;
  billing_cadence: string;
  pro_rating_enabled: boolean;
  effective_from?: string;
  effective_to?: string;
  status: PlanStatus;
  phases: PhaseBody[];
  settlement_mode: SettlementMode;
  validation_errors?: ValidationErrorBody[];
}

/** @param input checked by `createPlanSchema` or `upsertPlanSchema` */
export function toPlanContent(input: UpsertPlan): PlanContent {
  return {
    name: input.name,
    ...defined({ description: input.description, labels: input.labels }),
    proRatingEnabled: input.pro_rating_enabled,
    phases: input.phases.map(toPhase),
  };
}

/** @param issues what keeps a draft from being published */
export function fromPlan(plan: Plan, atMs: number, issues: readonly CatalogIssue[] = []): PlanBody {
  return {
    id: plan.id,
    name: plan.name,
    ...defined({ description: plan.description, labels: plan.labels }),
    created_at: plan.createdAt,
    updated_at: plan.updatedAt,
    ...defined({ deleted_at: plan.deletedAt }),
    key: plan.key,
    version: plan.version,
    currency: plan.currency,
    billing_cadence: plan.billingCadence,
    pro_rating_enabled: plan.proRatingEnabled,
    ...defined({ effective_from: plan.effectiveFrom, effective_to: plan.effectiveTo }),
    status: statusAt(plan, atMs),
    phases: plan.phases.map(fromPhase),
    settlement_mode: plan.settlementMode,
    ...defined({ validation_errors: toValidationErrors(issues) }),
  };
}
