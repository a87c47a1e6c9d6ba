import type { Plan } from '../../catalog/plans/index.ts';
import {
  cadencesAlign,
  findRateCardIssues,
  isPriced,
  issue,
  issuesProblem,
  lookUpReferences,
  statusAt as planStatusAt,
  type RateCard,
  toRateCard,
} from '../../catalog/product-catalog/index.ts';
import { notFound } from '../../platform/errors.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { addonSegments } from './addon-timeline.ts';
import { refuseOverlaps } from './checks.ts';
import type { SubscriptionDeps } from './deps.ts';
import { applyEdits, type Edit } from './edits.ts';
import { conflict, editWithAddons, invalidField } from './errors.ts';
import { type SubscriptionBody, toSubscriptionBody } from './mapping.ts';
import { migratePhases } from './migration.ts';
import { fromPlanVersion } from './plan-source.ts';
import type { CustomizationInput, EditSubscription, MigrateSubscription } from './schema.ts';
import { type ChangedSubscription, replace } from './start-service.ts';
import { changingOne, openFor, save } from './stored.ts';
import { resolveEdit, resolveEnd } from './timing.ts';
import type { PurchasedAddon, Subscription } from './types.ts';

export interface EditService {
  /** Changes what was agreed, from now or the next billing cycle on. @throws RequestProblem 400, 404 @throws DomainProblem 400, 403, 409 */
  edit(id: string, request: EditSubscription): Promise<SubscriptionBody>;
  /**
   * Goes on with a later version of its plan: the same subscription amended, or, with another anchor or starting phase,
   * one that takes over.
   * @throws RequestProblem 400, 404 @throws DomainProblem 400, 403, 409
   */
  migrate(id: string, request: MigrateSubscription): Promise<ChangedSubscription>;
}

export function createEditService(deps: SubscriptionDeps): EditService {
  return {
    edit: (id, request) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'update');
        if (subscription.addons.length > 0) throw editWithAddons();
        const atMs = resolveEdit(subscription, request.timing, nowMs);
        const edits = request.customizations.map(toEdit);
        await refuseWrongCards(deps, scope, subscription, edits);
        const phases = applyEdits(subscription, edits, { atMs, newId: scope.newId });
        const saved = await save(scope, { ...subscription, phases }, nowMs);
        await refuseOverlaps(scope, saved);
        return toSubscriptionBody(saved, nowMs);
      }),
    migrate: (id, request) =>
      changingOne(deps, id, async (scope) => {
        const { subscription, nowMs } = await openFor(scope, id, 'migrate');
        const target = await findTarget(deps, scope, subscription, request.target_version);
        const anchorMs = request.billing_anchor === undefined ? undefined : parseInstant(request.billing_anchor);
        const isReplaced =
          request.starting_phase !== undefined || (anchorMs !== undefined && anchorMs !== subscription.billingAnchorMs);
        return isReplaced
          ? replaceByTarget(deps, scope, subscription, target, request, nowMs)
          : amend(deps, scope, subscription, target, resolveEdit(subscription, request.timing, nowMs), nowMs);
      }),
  };
}

function toEdit(input: CustomizationInput): Edit {
  switch (input.type) {
    case 'add_item':
      return { type: 'add_item', phaseKey: input.phase_key, rateCard: toRateCard(input.rate_card) };
    case 'remove_item':
      return { type: 'remove_item', phaseKey: input.phase_key, itemKey: input.item_key };
    case 'add_phase': {
      const { key, name, description, start_after: startAfter, duration } = input.phase;
      return {
        type: 'add_phase',
        phase: {
          key,
          name,
          ...(description !== undefined && { description }),
          ...(startAfter != null && { startAfter }),
          ...(duration !== undefined && { duration }),
        },
      };
    }
    case 'remove_phase':
      return { type: 'remove_phase', phaseKey: input.phase_key, shift: input.shift };
    case 'stretch_phase':
      return { type: 'stretch_phase', phaseKey: input.phase_key, extendBy: input.extend_by };
    case 'unschedule_edit':
      return { type: 'unschedule_edit' };
  }
}

/** A card that is added must be as right as one of a plan that is published. */
async function refuseWrongCards(
  { lookups }: SubscriptionDeps,
  scope: Scope,
  { currency, settlementMode, billingCadence }: Subscription,
  edits: readonly Edit[],
): Promise<void> {
  const added = edits.flatMap((edit, index) => (edit.type === 'add_item' ? [{ card: edit.rateCard, index }] : []));
  const references = await lookUpReferences(
    lookups,
    added.map(({ card }) => card),
    [currency],
    scope,
  );
  const issues = added.flatMap(({ card, index }) => {
    const path = `customizations.${index}.rate_card`;
    const found = findRateCardIssues([card], { path: 'cards', currency, settlementMode, references });
    const unaligned = isUnaligned(card, billingCadence)
      ? [issue('rate_card_billing_cadence_unaligned', `${path}.billing_cadence`)]
      : [];
    return [...found.map((one) => ({ ...one, field: one.field.replace(/^cards\.0/, path) })), ...unaligned];
  });
  if (issues.length > 0) throw issuesProblem(issues.map((one) => ({ ...one, severity: 'critical' })));
}

function isUnaligned(card: RateCard, billingCadence: string): boolean {
  return isPriced(card) && card.billingCadence !== undefined && !cadencesAlign(billingCadence, card.billingCadence);
}

async function findTarget(
  { plans }: SubscriptionDeps,
  scope: Scope,
  { plan }: Subscription,
  version: number | undefined,
): Promise<Plan> {
  if (plan === undefined) throw invalidField('target_version', 'a subscription to a custom plan has no versions');
  const realMs = scope.clock.nowMs();
  const target =
    version === undefined
      ? await plans.findActive(plan.key, realMs, scope)
      : await plans.findVersion(plan.key, version, scope);
  if (target === undefined) {
    if (version !== undefined) throw notFound('plan', `${plan.key} v${version}`);
    throw invalidField('target_version', `plan ${plan.key} has no active version`);
  }
  if (target.version <= plan.version) {
    throw invalidField('target_version', `must be later than ${plan.version}, the subscription's version`);
  }
  const status = planStatusAt(target, realMs);
  if (target.deletedAt === undefined && (status === 'active' || status === 'archived')) return target;
  const state = target.deletedAt === undefined ? status : 'deleted';
  throw invalidField('target_version', `version ${target.version} is ${state}: it must be active or archived`);
}

function replaceByTarget(
  deps: SubscriptionDeps,
  scope: Scope,
  subscription: Subscription,
  target: Plan,
  request: MigrateSubscription,
  nowMs: number,
): Promise<ChangedSubscription> {
  const terms = {
    labels: subscription.labels,
    settlement_mode: subscription.settlementMode,
    starting_phase: request.starting_phase,
    billing_anchor: request.billing_anchor,
    cost_basis_mode: subscription.costBasisMode,
  };
  const atMs = resolveEnd(subscription, request.timing, nowMs);
  return replace(deps, scope, subscription, fromPlanVersion(target), terms, { atMs, nowMs });
}

async function amend(
  deps: SubscriptionDeps,
  scope: Scope,
  subscription: Subscription,
  target: Plan,
  atMs: number,
  nowMs: number,
): Promise<ChangedSubscription> {
  const { name, plan, currency, billingCadence, proRatingEnabled, phases } = fromPlanVersion(target);
  if (currency !== subscription.currency || billingCadence !== subscription.billingCadence) {
    throw invalidField('target_version', 'has another currency or billing cadence: change the plan instead');
  }
  await refuseLostAddons(deps, scope, subscription, target, atMs);
  const migrated = migratePhases(subscription, phases, { newId: scope.newId, atMs });
  const { plan: _, ...others } = subscription;
  const changed = { ...others, name, ...(plan && { plan }), proRatingEnabled, phases: migrated };
  const saved = await save(scope, changed, nowMs);
  await refuseOverlaps(scope, saved);
  const body = toSubscriptionBody(saved, nowMs);
  return { current: body, next: body };
}

/** What counts from the instant on must be on offer with the new version too; what was given up by then need not. */
async function refuseLostAddons(
  { plans }: SubscriptionDeps,
  scope: Scope,
  { addons, activeToMs }: Subscription,
  target: Plan,
  atMs: number,
): Promise<void> {
  const offered = await plans.findAddons(target.id, scope);
  const counts = (bought: PurchasedAddon) =>
    addonSegments(bought, activeToMs).some(({ quantity, toMs }) => quantity > 0 && (toMs === undefined || toMs > atMs));
  const lost = addons.filter((bought) => counts(bought) && !offered.some((offer) => offer.addonId === bought.addonId));
  if (lost.length === 0) return;
  const names = lost.map((addon) => addon.name).join(', ');
  throw conflict(`plan ${target.key} v${target.version} does not offer the add-ons ${names}: give them up first`);
}
