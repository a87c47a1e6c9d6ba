import type { Change, Planning } from './change.ts';
import type { Catalog } from './schema.ts';
import type { StoredVersion } from './server-catalog.ts';

/** Tax codes that every server has and keeps. */
const SYSTEM_TAX_CODES = ['default', 'nontaxable'];

/**
 * Deletes what the server has and the file has not, in the sections that the file has: what uses before what is used.
 * Published plans and add-ons are archived, features too; subscriptions keep what they have.
 */
export function pruneChanges(catalog: Catalog, planning: Planning): Change[] {
  const { api, server } = planning;
  const remove = (what: string, path: string, entities: ReadonlyMap<string, { id: string }>, kept: readonly Keyed[]) =>
    [...entities]
      .filter(([key]) => !kept.some((entity) => entity.key === key))
      .map(([key, { id }]): Change => {
        const run = async () => void (await api.send('DELETE', `${path}/${id}`));
        return { action: 'delete', what, key, differences: [], run };
      });
  const taxCodes = new Map([...server.taxCodes].filter(([key]) => !SYSTEM_TAX_CODES.includes(key)));
  return [
    ...(catalog.plans ? versions('plan', '/plans', server.plans, catalog.plans, planning) : []),
    ...(catalog.addons ? versions('add-on', '/addons', server.addons, catalog.addons, planning) : []),
    ...(catalog.features ? remove('feature', '/features', server.features, catalog.features) : []),
    ...(catalog.meters ? remove('meter', '/meters', server.meters, catalog.meters) : []),
    ...(catalog.tax_codes ? remove('tax code', '/tax-codes', taxCodes, catalog.tax_codes) : []),
  ];
}

interface Keyed {
  key: string;
}

function versions(
  what: string,
  path: string,
  stored: ReadonlyMap<string, readonly StoredVersion<unknown>[]>,
  kept: readonly (Keyed & { status: string })[],
  { api }: Planning,
): Change[] {
  return [...stored].flatMap(([key, all]) => {
    const own = kept.filter((entity) => entity.key === key);
    return all.flatMap(({ id, version, status }): Change[] => {
      // The draft of a published entity may be the work of someone else; it goes only with all the rest of its key.
      if (status === 'archived' || own.length > 0) return [];
      const step = status === 'active' ? { method: 'POST', suffix: '/archive' } : { method: 'DELETE', suffix: '' };
      const run = async () => void (await api.send(step.method as 'POST', `${path}/${id}${step.suffix}`));
      const note = status === 'active' ? `archive version ${version}` : `version ${version}, a ${status} one`;
      return [{ action: 'delete', what, key, differences: [], note, run }];
    });
  });
}
