import { formatDecimal } from '../../platform/decimal.ts';
import { notFound } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { CreditAuthorisationDeps } from './deps.ts';
import { authorisationRepository } from './repository.ts';
import type { CreditLeaseBody, CreditStop } from './schema.ts';

/** @throws RequestProblem 404 */
export async function stopOf(scope: Scope, deps: CreditAuthorisationDeps, featureId: string): Promise<CreditStop> {
  await checkFeature(deps, scope, featureId);
  const stops = await authorisationRepository(scope).stops([featureId]);
  return { stops_without_credit: stops.has(featureId) };
}

/** @throws RequestProblem 404 */
export function setStop(scope: Scope, deps: CreditAuthorisationDeps, featureId: string, stop: CreditStop) {
  return scope.transaction(async (scope): Promise<CreditStop> => {
    await checkFeature(deps, scope, featureId);
    const { stops_without_credit } = stop;
    await authorisationRepository(scope).setStop(featureId, stops_without_credit, scope.clock.nowMs());
    return { stops_without_credit };
  });
}

/** What is leased of the customer's credit now. @throws RequestProblem 404 */
export async function leasesOf(
  scope: Scope,
  deps: CreditAuthorisationDeps,
  customerId: string,
): Promise<CreditLeaseBody[]> {
  await deps.getCustomer(customerId, scope);
  const leases = await authorisationRepository(scope).leases([customerId], scope.clock.nowMs());
  return leases.map((lease) => ({
    feature_key: lease.featureKey,
    node: lease.node,
    customer_key: lease.customerKey,
    units: formatDecimal(lease.units),
    granted_at: formatInstant(lease.grantedAtMs),
    expires_at: formatInstant(lease.expiresAtMs),
  }));
}

/** @throws RequestProblem 404 */
async function checkFeature({ findFeatures }: CreditAuthorisationDeps, scope: Scope, id: string): Promise<void> {
  if (!(await findFeatures([id], scope)).has(id)) throw notFound('feature', id);
}
