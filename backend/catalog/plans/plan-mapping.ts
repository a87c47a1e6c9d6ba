import { defined } from '../../platform/defined.ts';
import {
  fromPhase,
  type JudgedVersion,
  type Labels,
  type Phase,
  type PhaseBody,
  type SettlementMode,
  statusAt,
  toPhase,
  toValidationErrors,
  type ValidationErrorBody,
  type Version,
  type VersionChange,
} from '../product-catalog/index.ts';
import type { CreatePlan, UpsertPlan } from './schema.ts';
import type { Plan, PlanStatus } from './types.ts';

/** What only plans have, as stored. */
export interface PlanContent {
  billingCadence: string;
  proRatingEnabled: boolean;
  settlementMode: SettlementMode;
  phases: readonly Phase[];
}

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

export function toPlan({ content, ...version }: Version<PlanContent>): Plan {
  return { ...version, ...content };
}

/** The content of a new plan. Clients cannot choose the settlement mode (it is read-only in the contract). */
export function toPlanContent(input: CreatePlan): PlanContent {
  return {
    billingCadence: input.billing_cadence,
    proRatingEnabled: input.pro_rating_enabled,
    settlementMode: 'credit_then_invoice',
    phases: input.phases.map(toPhase),
  };
}

/** What a draft becomes by PUT: all but what was chosen once. */
export function toPlanRevision({ content }: Version<PlanContent>, input: UpsertPlan): VersionChange<PlanContent> {
  return {
    name: input.name,
    ...defined({ description: input.description, labels: input.labels }),
    content: { ...content, proRatingEnabled: input.pro_rating_enabled, phases: input.phases.map(toPhase) },
  };
}

export function fromJudgedPlan({ version, issues }: JudgedVersion<PlanContent>, atMs: number): PlanBody {
  return { ...fromPlan(toPlan(version), atMs), ...defined({ validation_errors: toValidationErrors(issues) }) };
}

/** A plan as answers carry it, without what keeps it from being published. */
function fromPlan(plan: Plan, atMs: number): PlanBody {
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
  };
}
