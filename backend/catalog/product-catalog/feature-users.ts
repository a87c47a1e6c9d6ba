import { DomainProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { versionRepository } from './repository.ts';

/** A refusal names this many plans; more help nobody. */
const MAX_NAMED = 10;

/**
 * 403 while a published plan or add-on has rate cards of the feature: it would go on selling what is archived. Drafts
 * do not keep it, they cannot be published with it. Source: OpenMeter openmeter/productcatalog/adapter/feature.go.
 * @param scope of the transaction that archives
 */
export async function catalogBlocksArchiving(
  feature: { id: string; key: string },
  scope: Scope,
  atMs: number,
): Promise<DomainProblem | undefined> {
  const plans = await versionRepository(scope, 'plans').namesOfThoseWith(feature.id, atMs);
  const addons = await versionRepository(scope, 'addons').namesOfThoseWith(feature.id, atMs);
  const users = [...plans.map((name) => `plan ${name}`), ...addons.map((name) => `add-on ${name}`)];
  if (users.length === 0) return undefined;
  const more = users.length > MAX_NAMED ? ` and ${users.length - MAX_NAMED} more` : '';
  const names = users.slice(0, MAX_NAMED).join(', ');
  return new DomainProblem(
    'unauthorized',
    `feature "${feature.key}" cannot be archived: in use by published ${names}${more}`,
  );
}
