import type { CatalogFile } from './catalog-file.ts';
import type { Change, Planning } from './change.ts';
import { CatalogError, type Path, type Problem } from './errors.ts';
import { featureChanges, meterChanges, taxCodeChanges, taxCodeDefaultsChanges } from './keyed-changes.ts';
import { addonKind, planKind } from './plan-kinds.ts';
import { pruneChanges } from './prune.ts';
import type { Ids } from './references.ts';
import type { Catalog, RateCard } from './schema.ts';
import type { ServerCatalog } from './server-catalog.ts';
import { versionChanges } from './version-changes.ts';

/**
 * What has to be done so that the server has what the file has, in an order in which each step finds what it refers to.
 * Nothing is changed yet.
 * @throws CatalogError for references that lead nowhere
 */
export function planChanges(
  { catalog }: Pick<CatalogFile, 'catalog'>,
  options: Omit<Planning, 'ids'> & { prune: boolean },
): Change[] {
  const planning: Planning = { ...options, ids: livingIds(options.server) };
  const missing = missingReferences(catalog, planning.ids);
  if (missing.length > 0) throw new CatalogError(missing);
  const { server } = planning;
  return [
    ...taxCodeChanges(catalog.tax_codes ?? [], planning),
    ...taxCodeDefaultsChanges(catalog.tax_code_defaults, planning),
    ...meterChanges(catalog.meters ?? [], planning),
    ...featureChanges(catalog.features ?? [], planning),
    ...versionChanges(addonKind(planning), catalog.addons ?? [], server.addons, planning),
    ...versionChanges(planKind(planning), catalog.plans ?? [], server.plans, planning),
    ...(options.prune ? pruneChanges(catalog, planning) : []),
  ];
}

function livingIds(server: ServerCatalog): Ids {
  const ids = (entities: ReadonlyMap<string, { id: string }>) =>
    new Map([...entities].map(([key, { id }]) => [key, id] as const));
  const addons = [...server.addons].flatMap(([key, versions]) => {
    const active = versions.findLast(({ status }) => status === 'active');
    return active === undefined ? [] : [[key, active.id] as const];
  });
  return {
    meters: ids(server.meters),
    features: ids(server.features),
    taxCodes: ids(server.taxCodes),
    addons: new Map(addons),
  };
}

/** References to what neither the file nor the server has. */
function missingReferences(catalog: Catalog, ids: Ids): Problem[] {
  const inFile = {
    meters: keysOf(catalog.meters),
    features: keysOf(catalog.features),
    taxCodes: keysOf(catalog.tax_codes),
    addons: keysOf(catalog.addons?.filter(({ status }) => status === 'active')),
  };
  const problems: Problem[] = [];
  const check = (kind: keyof Ids, key: string | undefined, path: Path) => {
    if (key === undefined || ids[kind].has(key) || inFile[kind].has(key)) return;
    const what = { meters: 'meter', features: 'feature', taxCodes: 'tax code', addons: 'published add-on' }[kind];
    problems.push({ path, message: `there is no ${what} "${key}", neither in the file nor on the server` });
  };
  const checkCards = (cards: readonly RateCard[], path: Path) => {
    for (const [index, card] of cards.entries()) {
      check('features', card.feature?.key, [...path, index, 'feature', 'key']);
      check('taxCodes', card.tax_config?.code.key, [...path, index, 'tax_config', 'code', 'key']);
    }
  };
  for (const name of ['invoicing_tax_code', 'credit_grant_tax_code'] as const) {
    check('taxCodes', catalog.tax_code_defaults?.[name]?.key, ['tax_code_defaults', name, 'key']);
  }
  for (const [index, { meter }] of (catalog.features ?? []).entries()) {
    check('meters', meter?.key, ['features', index, 'meter', 'key']);
  }
  for (const [index, addon] of (catalog.addons ?? []).entries()) {
    checkCards(addon.rate_cards, ['addons', index, 'rate_cards']);
  }
  for (const [index, plan] of (catalog.plans ?? []).entries()) {
    for (const [position, phase] of plan.phases.entries()) {
      checkCards(phase.rate_cards, ['plans', index, 'phases', position, 'rate_cards']);
    }
    for (const [position, { addon }] of (plan.addons ?? []).entries()) {
      check('addons', addon.key, ['plans', index, 'addons', position, 'addon', 'key']);
    }
  }
  return problems;
}

function keysOf(entities: readonly { key: string }[] | undefined): Set<string> {
  return new Set(entities?.map(({ key }) => key));
}
