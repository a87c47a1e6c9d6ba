import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { DomainProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import type { NewId } from '../../platform/ids.ts';
import {
  type CatalogLookups,
  createVersionLifecycle,
  lookUpReferences,
  type VersionKind,
  versionRepository,
} from '../product-catalog/index.ts';
import { type AddonContent, toAddon } from './addon-mapping.ts';
import { findAddonIssues } from './addon-rules.ts';
import { addonRoutes } from './routes.ts';
import type { Addon } from './types.ts';

export { addonStatusAt } from './addon-mapping.ts';
export type * from './types.ts';

/** Add-ons: what subscriptions can buy on top of their plan, in versions. */
export interface Addons {
  /** Registers the operations under `/addons`. */
  routes(router: Router): void;
  /**
   * Versions by id, deleted ones included; unknown ids are absent.
   * @param db the transaction's handle inside one: without it the call would wait for that transaction for ever
   */
  findByIds(ids: readonly string[], db?: ControlDb): Promise<ReadonlyMap<string, Addon>>;
  /** The version in force at an instant; undefined when the key has none. @param db as in findByIds */
  findActive(key: string, atMs: number, db?: ControlDb): Promise<Addon | undefined>;
}

/**
 * @param deps.lookups what rate cards refer to
 * @param deps.blocksDeletion what plans that offer the add-on have against its deletion
 */
export function createAddons(deps: {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  lookups: CatalogLookups;
  blocksDeletion: (addonId: string, db: ControlDb) => Promise<DomainProblem | undefined>;
}): Addons {
  const { lookups, blocksDeletion } = deps;
  const kind: VersionKind<AddonContent> = {
    table: 'addons',
    noun: 'add-on',
    statusCodes: { change: 'addon_invalid_status', publish: 'addon_invalid_status_for_publish' },
    findIssues: async (versions, db) => {
      const cards = versions.flatMap((version) => version.content.rateCards);
      const currencies = versions.map((version) => version.currency);
      const references = await lookUpReferences(lookups, cards, currencies, db);
      return new Map(versions.map((version) => [version.id, findAddonIssues(toAddon(version), references)]));
    },
    blocksDeletion,
    afterCopy: async () => {},
  };
  const lifecycle = createVersionLifecycle(deps, kind);
  return {
    routes: (router) => addonRoutes(router, lifecycle, deps.clock),
    findByIds: async (ids, db = deps.db) => {
      const found = await versionRepository<AddonContent>(db, 'addons').byIds([...new Set(ids)]);
      return new Map(found.map((version) => [version.id, toAddon(version)]));
    },
    findActive: async (key, atMs, db = deps.db) => {
      const found = await versionRepository<AddonContent>(db, 'addons').activeAt(key, atMs);
      return found && toAddon(found);
    },
  };
}
