import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { withKeys } from './references.ts';
import {
  type Addon,
  catalogSchemas,
  type Feature,
  type Meter,
  type Plan,
  type PlanAddon,
  type TaxCode,
  type TaxCodeDefaults,
} from './schema.ts';

/** Something on the server. */
export interface Stored<Content> {
  id: string;
  content: Content;
}

/** A version of a plan or an add-on. `content.status` is "draft" for a draft and "active" for all others. */
export interface StoredVersion<Content> extends Stored<Content> {
  version: number;
  status: 'draft' | 'scheduled' | 'active' | 'archived';
}

/** An add-on of a plan, with the version that it stands for. */
export interface StoredPlanAddon extends Stored<PlanAddon> {
  addonId: string;
}

/** The catalog of a server, by key. Archived features and deleted things are not in it. */
export interface ServerCatalog {
  taxCodes: Map<string, Stored<TaxCode>>;
  taxCodeDefaults: TaxCodeDefaults;
  meters: Map<string, Stored<Meter>>;
  features: Map<string, Stored<Feature>>;
  /** Oldest version first. */
  addons: Map<string, StoredVersion<Addon>[]>;
  plans: Map<string, StoredVersion<Plan>[]>;
  /** By id of the plan's version, for those that are not archived. */
  planAddons: Map<string, StoredPlanAddon[]>;
}

const lenient = catalogSchemas(false);
const identified = z.looseObject({ id: z.string(), key: z.string() });
const versioned = identified.extend({
  version: z.int(),
  status: z.enum(['draft', 'scheduled', 'active', 'archived']),
});
const planAddonSchema = z.looseObject({ id: z.string(), addon: z.object({ id: z.string() }) });

/** Reads the whole catalog. */
export async function readServerCatalog(api: ApiClient): Promise<ServerCatalog> {
  const taxCodes = await readKeyed(api, '/tax-codes', lenient.taxCode, new Map());
  const meters = await readKeyed(api, '/meters', lenient.meter, new Map());
  const keys = new Map([...keysOf(taxCodes), ...keysOf(meters)]);
  const features = await readKeyed(api, '/features', lenient.feature, keys);
  for (const [id, key] of keysOf(features)) keys.set(id, key);
  const addons = await readVersions(api, '/addons', lenient.addon, keys);
  for (const [id, key] of versionKeys(addons)) keys.set(id, key);
  const plans = await readVersions(api, '/plans', lenient.plan, keys);
  const planAddons = new Map<string, StoredPlanAddon[]>();
  for (const version of [...plans.values()].flat()) {
    if (version.status === 'archived') continue;
    const own = await readPlanAddons(api, version.id, keys);
    planAddons.set(version.id, own);
    if (own.length > 0) version.content = { ...version.content, addons: own.map(({ content }) => content) };
  }
  const defaults = await withKeys(await api.get('/defaults/tax-codes'), keys, api);
  return {
    taxCodes,
    taxCodeDefaults: lenient.taxCodeDefaults.parse(defaults),
    meters,
    features,
    addons,
    plans,
    planAddons,
  };
}

/** The add-ons that can be bought with one version of a plan. @param keys keys by id */
export async function readPlanAddons(
  api: ApiClient,
  planId: string,
  keys: Map<string, string>,
): Promise<StoredPlanAddon[]> {
  const read: StoredPlanAddon[] = [];
  for (const item of await api.list(`/plans/${planId}/addons`)) {
    const { id, addon } = planAddonSchema.parse(item);
    read.push({ id, addonId: addon.id, content: lenient.planAddon.parse(await withKeys(item, keys, api)) });
  }
  return read;
}

async function readKeyed<Content>(
  api: ApiClient,
  path: string,
  schema: z.ZodType<Content>,
  keys: Map<string, string>,
): Promise<Map<string, Stored<Content>>> {
  const found = new Map<string, Stored<Content>>();
  for (const item of await api.list(path)) {
    const { id, key } = identified.parse(item);
    found.set(key, { id, content: schema.parse(await withKeys(item, keys, api)) });
  }
  return found;
}

async function readVersions<Content>(
  api: ApiClient,
  path: string,
  schema: z.ZodType<Content>,
  keys: Map<string, string>,
): Promise<Map<string, StoredVersion<Content>[]>> {
  const versions: (StoredVersion<Content> & { key: string })[] = [];
  for (const item of await api.list(path)) {
    const { id, key, version, status } = versioned.parse(item);
    const shown = { ...Object(await withKeys(item, keys, api)), status: status === 'draft' ? 'draft' : 'active' };
    versions.push({ id, key, version, status, content: schema.parse(shown) });
  }
  versions.sort((a, b) => a.version - b.version);
  return Map.groupBy(versions, ({ key }) => key);
}

function keysOf(entities: ReadonlyMap<string, Stored<unknown>>): [string, string][] {
  return [...entities].map(([key, { id }]) => [id, key]);
}

function versionKeys(entities: ReadonlyMap<string, readonly StoredVersion<unknown>[]>): [string, string][] {
  return [...entities].flatMap(([key, versions]) => versions.map(({ id }): [string, string] => [id, key]));
}
