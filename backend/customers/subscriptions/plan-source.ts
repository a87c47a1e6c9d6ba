import {
  findPlanIssues,
  type Labels,
  type Phase,
  type Plan,
  type Plans,
  type SettlementMode,
} from '../../catalog/plans/index.ts';
import {
  type CatalogLookups,
  issuesProblem,
  lookUpReferences,
  statusAt,
  toPhase,
} from '../../catalog/product-catalog/index.ts';
import { invalidParameter, notFound } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { invalidField, missingReference } from './errors.ts';
import type { CreateSubscription, CustomPlanInput } from './schema.ts';
import type { PlanRef } from './types.ts';

/** What a subscription is made from: a version of a plan, or a custom plan. */
export interface PlanSource {
  name: string;
  description?: string;
  labels?: Labels;
  /** undefined for a custom plan */
  plan?: PlanRef;
  currency: string;
  billingCadence: string;
  proRatingEnabled: boolean;
  settlementMode: SettlementMode;
  phases: readonly Phase[];
}

interface Deps {
  plans: Pick<Plans, 'findByIds' | 'findActive' | 'findVersion'>;
  lookups: CatalogLookups;
}

/**
 * @param atMs real time: the catalog knows no test clock
 * @throws RequestProblem 400, 404 for an unknown plan @throws DomainProblem 400 with what is wrong with a custom plan
 */
export async function findPlanSource(
  scope: Scope,
  deps: Deps,
  request: Pick<CreateSubscription, 'plan' | 'custom_plan'>,
  atMs: number,
): Promise<PlanSource> {
  const { plan: reference, custom_plan: custom } = request;
  if (reference !== undefined && custom !== undefined) {
    throw invalidField('custom_plan', 'excludes plan: a subscription has one of them');
  }
  if (custom !== undefined) return fromCustomPlan(scope, deps, custom);
  if (reference === undefined) {
    throw invalidParameter({
      field: 'plan',
      rule: 'required',
      reason: 'is required: either plan or custom_plan',
      source: 'body',
    });
  }
  const plan = await findPlan(scope, deps, reference, atMs);
  if (plan.deletedAt !== undefined) throw invalidField('plan', `${versionName(plan)} was deleted`);
  const status = statusAt(plan, atMs);
  if (status !== 'active') {
    throw invalidField('plan', `${versionName(plan)} is ${status}: only active versions can be subscribed to`);
  }
  return fromPlanVersion(plan);
}

export function fromPlanVersion(plan: Plan): PlanSource {
  const { id, key, version, currency, billingCadence, proRatingEnabled, settlementMode, phases } = plan;
  return {
    name: versionName(plan),
    plan: { id, key, version },
    currency,
    billingCadence,
    proRatingEnabled,
    settlementMode,
    phases,
  };
}

function versionName({ key, version }: Plan): string {
  return `${key} v${version}`;
}

async function findPlan(
  scope: Scope,
  { plans }: Deps,
  { id, key, version }: NonNullable<CreateSubscription['plan']>,
  atMs: number,
): Promise<Plan> {
  if (id !== undefined) {
    const plan = (await plans.findByIds([id], scope)).get(id);
    if (plan === undefined) throw notFound('plan', id);
    if ((key ?? plan.key) === plan.key && (version ?? plan.version) === plan.version) return plan;
    throw invalidField('plan', `id names ${versionName(plan)}, key and version something else`);
  }
  if (key === undefined) throw missingReference('plan', ['id', 'key']);
  if (version !== undefined) {
    const plan = await plans.findVersion(key, version, scope);
    if (plan === undefined) throw notFound('plan', `${key} v${version}`);
    return plan;
  }
  const active = await plans.findActive(key, atMs, scope);
  if (active !== undefined) return active;
  // Every key began with a version 1.
  if ((await plans.findVersion(key, 1, scope)) === undefined) throw notFound('plan', key);
  throw invalidField('plan', `${key} has no active version`);
}

async function fromCustomPlan(scope: Scope, { lookups }: Deps, custom: CustomPlanInput): Promise<PlanSource> {
  const phases = custom.phases.map(toPhase);
  const source: PlanSource = {
    name: custom.name,
    ...(custom.description !== undefined && { description: custom.description }),
    ...(custom.labels !== undefined && { labels: custom.labels }),
    currency: custom.currency,
    billingCadence: custom.billing_cadence,
    proRatingEnabled: custom.pro_rating_enabled,
    settlementMode: 'credit_then_invoice',
    phases,
  };
  const cards = phases.flatMap((phase) => phase.rateCards);
  const issues = findPlanIssues(source, await lookUpReferences(lookups, cards, [source.currency], scope));
  // Nobody will publish it: what only warns in a draft would stay wrong for ever here.
  if (issues.length === 0) return source;
  throw issuesProblem(issues.map((issue) => ({ ...issue, field: `custom_plan.${issue.field}`, severity: 'critical' })));
}
