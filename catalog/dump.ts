import { stringify } from 'yaml';
import { isExactNumber } from './exact-json.ts';
import type { Addon, Plan, RateCard } from './schema.ts';
import type { ServerCatalog, StoredVersion } from './server-catalog.ts';

/**
 * The server's catalog as a file: applied to an empty server it makes the same catalog. Archived versions are left out,
 * and what the defaults say anyway.
 */
export function dumpCatalog(server: ServerCatalog): string {
  const list = <Content>(entities: ReadonlyMap<string, { content: Content }>) =>
    [...entities].toSorted(byKey).map(([, { content }]) => content);
  const catalog = {
    _format_version: '1.0',
    tax_codes: list(server.taxCodes),
    tax_code_defaults: server.taxCodeDefaults,
    meters: list(server.meters),
    features: list(server.features),
    addons: versions(server.addons).map(shortAddon),
    plans: versions(server.plans).map(shortPlan),
  };
  const filled = Object.entries(catalog).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return stringify(plain(Object.fromEntries(filled)), { lineWidth: 120 });
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function versions<Content>(entities: ReadonlyMap<string, readonly StoredVersion<Content>[]>): Content[] {
  return [...entities].toSorted(byKey).flatMap(([, all]) => {
    const active = all.findLast(({ status }) => status === 'active' || status === 'scheduled');
    const draft = all.findLast(({ status }) => status === 'draft');
    return [active, draft].flatMap((version) => version?.content ?? []);
  });
}

function shortAddon({ status, rate_cards, ...addon }: Addon) {
  const { key, ...rest } = addon;
  return { key, ...(status === 'draft' && { status }), ...rest, rate_cards: rate_cards.map(shortRateCard) };
}

function shortPlan({ status, pro_rating_enabled, phases, addons, ...plan }: Plan) {
  const { key, ...rest } = plan;
  return {
    key,
    ...(status === 'draft' && { status }),
    ...rest,
    ...(!pro_rating_enabled && { pro_rating_enabled }),
    phases: phases.map((phase) => ({ ...phase, rate_cards: phase.rate_cards.map(shortRateCard) })),
    ...(addons && { addons }),
  };
}

function shortRateCard(card: RateCard) {
  const { payment_term, unit_config, entitlement, ...rest } = card;
  return {
    ...rest,
    ...(payment_term !== 'in_arrears' && { payment_term }),
    ...(unit_config && { unit_config: shortUnitConfig(unit_config) }),
    ...(entitlement && { entitlement: shortEntitlement(entitlement, card.billing_cadence) }),
  };
}

function shortUnitConfig({ rounding, precision, ...config }: NonNullable<RateCard['unit_config']>) {
  return { ...config, ...(rounding !== 'none' && { rounding }), ...(precision !== 0 && { precision }) };
}

function shortEntitlement(entitlement: NonNullable<RateCard['entitlement']>, cadence: string | null | undefined) {
  if (entitlement.type !== 'metered') return entitlement;
  const { is_soft_limit, usage_period, ...rest } = entitlement;
  return { ...rest, ...(is_soft_limit && { is_soft_limit }), ...(usage_period !== cadence && { usage_period }) };
}

/** Without what is undefined, and with numbers that YAML can write. */
function plain(value: unknown): unknown {
  // Whole numbers keep their digits as bigints; fractions of more than 16 digits exist in free-form configurations only.
  if (isExactNumber(value)) return /^-?\d+$/.test(value.rawJSON) ? BigInt(value.rawJSON) : Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.map(([name, entry]) => [name, plain(entry)]));
}
