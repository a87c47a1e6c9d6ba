import type { DomainProblem } from '../../platform/errors.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
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
   * @param scope the transaction's inside one
   */
  findByIds(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, Addon>>;
  /** The version in force at an instant; undefined when the key has none. @param scope as in findByIds */
  findActive(key: string, atMs: number, scope: Scope): Promise<Addon | undefined>;
}

/**
 * @param deps.lookups what rate cards refer to
 * @param deps.blocksDeletion what plans that offer the add-on have against its deletion
 */
export function createAddons(deps: {
  scope: Scope;
  lookups: CatalogLookups;
  blocksDeletion: (addonId: string, scope: Scope) => Promise<DomainProblem | undefined>;
}): Addons {
  const { lookups, blocksDeletion } = deps;
  const kind: VersionKind<AddonContent> = {
    table: 'addons',
    noun: 'add-on',
    statusCodes: { change: 'addon_invalid_status', publish: 'addon_invalid_status_for_publish' },
    findIssues: async (versions, scope) => {
      const cards = versions.flatMap((version) => version.content.rateCards);
      const currencies = versions.map((version) => version.currency);
      const references = await lookUpReferences(lookups, cards, currencies, scope);
      return new Map(versions.map((version) => [version.id, findAddonIssues(toAddon(version), references)]));
    },
    blocksDeletion,
    afterCopy: async () => {},
  };
  const lifecycle = createVersionLifecycle(deps.scope, kind);
  return {
    routes: (router) => addonRoutes(router, lifecycle, deps.scope.clock),
    findByIds: async (ids, scope) => {
      const found = await versionRepository<AddonContent>(scope, 'addons').byIds([...new Set(ids)]);
      return new Map(found.map((version) => [version.id, toAddon(version)]));
    },
    findActive: async (key, atMs, scope) => {
      const found = await versionRepository<AddonContent>(scope, 'addons').activeAt(key, atMs);
      return found && toAddon(found);
    },
  };
}
