import type { Features } from '../../catalog/features/index.ts';
import type { Meter } from '../../metering/meters/index.ts';
import type { Scope } from '../../platform/scope.ts';

/** What is asked of others. What is given a scope reads through it. */
export interface CreditAuthorisationDeps {
  findFeatures: Features['findByIds'];
  findFeaturesByKey: Features['findByKeys'];
  /** @throws RequestProblem 404 */
  getCustomer(id: string, scope: Scope): Promise<unknown>;
  usage: Pick<Features['usage'], 'query'>;
  findMeters(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Meter>>;
  /** Customers by id with the subjects whose events are theirs. */
  findSubjects(ids: readonly string[]): Promise<ReadonlyMap<string, { subjects: readonly string[] }>>;
  /** Works out a customer's charges up to now. */
  followCharges(customerId: string): Promise<void>;
}
