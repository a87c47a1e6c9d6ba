import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { catalogError } from './errors.ts';
import { isExactNumber } from './exact-json.ts';

/** What refers to what: the property that holds an id on the server and a key in the file, and where ids are found. */
const REFERENCES: Readonly<Record<string, string>> = {
  meter: '/meters',
  feature: '/features',
  addon: '/addons',
  code: '/tax-codes',
  invoicing_tax_code: '/tax-codes',
  credit_grant_tax_code: '/tax-codes',
};

const keyed = z.object({ key: z.string() });

/**
 * A server's entity with keys in place of ids. What its list does not show, because it was archived or deleted, is asked
 * for by id, and named so that it equals nothing living.
 * @param keys keys by id; what is asked for is added
 */
export async function withKeys(value: unknown, keys: Map<string, string>, api: ApiClient): Promise<unknown> {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await withKeys(item, keys, api));
    return items;
  }
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value)) {
    const path = REFERENCES[name];
    // A static entitlement's configuration is the user's own.
    if (name === 'config') result[name] = child;
    else if (path !== undefined && isReference(child)) result[name] = await toKey(child, path, keys, api);
    else result[name] = await withKeys(child, keys, api);
  }
  return result;
}

interface Reference {
  id: string;
}

function isReference(value: unknown): value is Reference {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

async function toKey({ id, ...rest }: Reference, path: string, keys: Map<string, string>, api: ApiClient) {
  let key = keys.get(id);
  if (key === undefined) {
    key = `${keyed.parse(await api.get(`${path}/${id}`)).key} (archived)`;
    keys.set(id, key);
  }
  return { key, ...rest };
}

/** The ids of what the file refers to by key; filled while changes are made. */
export type Ids = Record<'meters' | 'features' | 'taxCodes' | 'addons', Map<string, string>>;

/** @throws CatalogError when the key is unknown, which planning has ruled out unless the server changed meanwhile */
export function idOf(ids: Ids, kind: keyof Ids, key: string): string {
  const id = ids[kind].get(key);
  if (id === undefined) throw catalogError(`there is no "${key}" among ${kind}`);
  return id;
}
