import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { toGrantBody } from './bodies.ts';
import { grantOf } from './drafts.ts';
import { minuteOf } from './engine/balance.ts';
import { entitlementNotFound, grantNotFound, invalidBody, invalidQuery, notMetered } from './errors.ts';
import { currentPeriod, type Measured, measuredOf } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { CreateGrant, GrantBody, GrantFilterField, GrantSortField, ResetRequest } from './schema.ts';
import { changingCustomer, type EntitlementDeps, entitlementOf, nowOf } from './service.ts';
import { isInForceAt, type StoredGrant } from './types.ts';

export const GRANT_SORT: SortRules<GrantSortField> = {
  fields: ['created_at', 'updated_at', 'effective_at', 'expires_at'],
  default: 'created_at',
  defaultDirection: 'asc',
};

export interface GrantPage {
  data: GrantBody[];
  meta: ReturnType<typeof pageMeta>;
}

/** Changes to what may be used, and to what was. */
export interface UsageChanges {
  /** @throws RequestProblem 400, 404 */
  grant(customerId: string, entitlementId: string, request: CreateGrant): Promise<GrantBody>;
  /** Voided and expired ones too. @param of.entitlement undefined: all entitlements @throws RequestProblem 404 */
  listGrants(
    of: {
      readonly entitlement?: { readonly customerId: string; readonly entitlementId: string };
      readonly includesDeleted: boolean;
    },
    filters: readonly FilterCondition<GrantFilterField>[],
    sort: Sort<GrantSortField>,
    page: PageRequest,
  ): Promise<GrantPage>;
  /** What is left of the grant is gone from then on. @param at RFC 3339; default now @throws RequestProblem 400, 404 */
  voidGrant(grantId: string, at: string | undefined): Promise<void>;
  /** Usage begins anew. @throws RequestProblem 400, 404 */
  reset(customerId: string, entitlementId: string, request: ResetRequest): Promise<void>;
}

export function createUsageChanges(deps: EntitlementDeps): UsageChanges {
  const { scope } = deps;
  return {
    grant: (customerId, entitlementId, request) =>
      changingCustomer(scope, customerId, async (scope) => {
        const nowMs = await nowOf(customerId, scope);
        const measured = await measuredInForce(deps, scope, customerId, entitlementId, nowMs);
        const grant = grantOf(request, { id: scope.newId(), entitlementId }, nowMs);
        if (grant.effectiveAtMs < currentPeriod(measured, nowMs).fromMs) {
          throw invalidBody('effective_at', 'must not lie before the current usage period');
        }
        await entitlementRepository(scope).insertGrant(grant);
        return toGrantBody(grant, nowMs);
      }),
    listGrants: async ({ entitlement, includesDeleted }, filters, sort, page) => {
      if (entitlement !== undefined) await entitlementOf(scope, entitlement.customerId, entitlement.entitlementId);
      const nowMs = entitlement === undefined ? scope.clock.nowMs() : await nowOf(entitlement.customerId, scope);
      const shown = { entitlementId: entitlement?.entitlementId, includesDeleted };
      const { grants, total } = await entitlementRepository(scope).grantPage(shown, filters, sort, page);
      return { data: grants.map((grant) => toGrantBody(grant, nowMs)), meta: pageMeta(page, total) };
    },
    voidGrant: async (grantId, at) => {
      const { customerId } = await ownerOfGrant(scope, grantId);
      await changingCustomer(scope, customerId, (scope) => voidGrant(deps, scope, grantId, at));
    },
    reset: (customerId, entitlementId, request) =>
      changingCustomer(scope, customerId, (scope) => reset(deps, scope, customerId, entitlementId, request)),
  };
}

/** @throws RequestProblem 404 */
async function ownerOfGrant(scope: Scope, grantId: string): Promise<{ grant: StoredGrant; customerId: string }> {
  const grant = await entitlementRepository(scope).grantById(grantId);
  if (grant === undefined) throw grantNotFound(grantId);
  const { customerId } = await entitlementOf(scope, undefined, grant.entitlementId);
  return { grant, customerId };
}

async function voidGrant(deps: EntitlementDeps, scope: Scope, grantId: string, at: string | undefined): Promise<void> {
  const { grant, customerId } = await ownerOfGrant(scope, grantId);
  const nowMs = await nowOf(customerId, scope);
  if (grant.voidedAtMs !== undefined) throw invalidQuery('voided_at', 'the grant was voided already');
  const measured = await measuredInForce(deps, scope, undefined, grant.entitlementId, nowMs);
  const voidedAtMs = minuteOf((at === undefined ? undefined : parseInstant(at)) ?? nowMs);
  if (voidedAtMs > nowMs) throw invalidQuery('voided_at', 'must not lie in the future');
  if (voidedAtMs < currentPeriod(measured, nowMs).fromMs) {
    throw invalidQuery('voided_at', 'must not lie before the current usage period');
  }
  await entitlementRepository(scope).voidGrant(grantId, voidedAtMs, nowMs);
}

async function reset(
  deps: EntitlementDeps,
  scope: Scope,
  customerId: string,
  entitlementId: string,
  request: ResetRequest,
): Promise<void> {
  const nowMs = await nowOf(customerId, scope);
  const measured = await measuredInForce(deps, scope, customerId, entitlementId, nowMs);
  const given = request.effective_at === undefined ? undefined : parseInstant(request.effective_at);
  const effectiveAtMs = minuteOf(given ?? nowMs);
  const { fromMs: lastResetMs } = currentPeriod(measured, nowMs);
  if (effectiveAtMs > nowMs) throw invalidBody('effective_at', 'must not lie in the future');
  if (effectiveAtMs < lastResetMs) throw invalidBody('effective_at', 'must not lie before the current usage period');
  if (effectiveAtMs === minuteOf(lastResetMs)) {
    throw invalidBody('effective_at', 'usage was reset in the same minute already');
  }
  const { periods } = measured.allowance;
  const anchorMs = periods.findLast(({ fromMs }) => fromMs <= effectiveAtMs)?.recurrence.anchorMs ?? effectiveAtMs;
  await entitlementRepository(scope).insertReset({
    entitlementId,
    effectiveAtMs,
    anchorMs: request.retain_anchor ? anchorMs : effectiveAtMs,
    preservesOverage: request.preserve_overage ?? measured.measuring.preservesOverage,
    createdAtMs: nowMs,
  });
}

/** @throws RequestProblem 404 when it is not in force, 400 when it is not metered */
async function measuredInForce(
  { features }: EntitlementDeps,
  scope: Scope,
  customerId: string | undefined,
  entitlementId: string,
  atMs: number,
): Promise<Measured> {
  const entitlement = await entitlementOf(scope, customerId, entitlementId);
  if (!isInForceAt(entitlement, atMs)) throw entitlementNotFound(entitlementId);
  const [measured] = await measuredOf(await entitlementRepository(scope).withGrants([entitlement]), {
    scope,
    features,
  });
  if (measured === undefined) throw notMetered(entitlementId, entitlement.terms.type);
  return measured;
}
