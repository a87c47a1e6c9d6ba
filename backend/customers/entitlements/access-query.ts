import type { Features } from '../../catalog/features/index.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import type { CursorRequest } from '../../platform/http/paging.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Customer, CustomerRef } from '../customers/index.ts';
import { nowByCustomer } from '../test-clocks/index.ts';
import { type Access, accessOf, DENIAL_MESSAGES, type DenialCode } from './access.ts';
import type {
  AccessQuery,
  AccessQueryAnswer,
  BalancesAnswer,
  FeatureAccess,
  FeatureBalance,
  LeaseQuery,
} from './access-schema.ts';
import type { CreditAsk, CreditByFeature, FeatureCredit, FindCredit, LeaseAsk } from './credit.ts';
import { invalidQuery } from './errors.ts';
import type { EntitlementDeps } from './service.ts';

/** What the query asks of other modules. */
export interface AccessQueryDeps extends EntitlementDeps {
  readonly features: Features;
  readonly findBySubjects: (subjects: readonly string[]) => Promise<ReadonlyMap<string, CustomerRef>>;
  /** Living and deleted customers by id. */
  readonly findCustomers: (ids: readonly string[]) => Promise<readonly Customer[]>;
  /** What is left of credit: a module above knows. */
  readonly findCredit: FindCredit;
}

/** Access of many customers at once: what gateways poll. */
export interface AccessQueries {
  access(query: AccessQuery, page: CursorRequest, signal?: AbortSignal): Promise<AccessQueryAnswer>;
  /** The same with what is left, so that a gateway can count along. */
  balances(query: AccessQuery, page: CursorRequest, signal?: AbortSignal): Promise<BalancesAnswer>;
  /** Balances with credit, and what a node may let through by itself. */
  leases(query: LeaseQuery, signal?: AbortSignal): Promise<BalancesAnswer>;
}

/** The reference implementation lists no more features than these. */
const MAX_FEATURES = 10_000;
const FEATURE_PAGE = 1000;

interface Row {
  readonly customer: Customer;
  readonly matched: string[];
  readonly subjects: readonly string[];
  /** By feature key, in the order of the keys. */
  readonly access: readonly (readonly [key: string, verdict: Verdict])[];
}

interface Verdict {
  readonly access: Access | DenialCode;
  readonly credit: FeatureCredit | undefined;
}

export function createAccessQueries(deps: AccessQueryDeps): AccessQueries {
  const { scope } = deps;
  return {
    access: async (query, page, signal) => {
      const nowMs = scope.clock.nowMs();
      const { rows, ...rest } = await run(deps, query, page, signal);
      const data = rows.map(({ customer, matched, access }) => ({
        matched,
        customer,
        features: Object.fromEntries(access.map(([key, one]) => [key, accessBody(one)])),
        updated_at: formatInstant(nowMs),
      }));
      return { data, ...rest };
    },
    balances: (query, page, signal) => balances(deps, query, page, signal),
    leases: ({ node, feature, customers }, signal) => {
      const asked = customers.map(({ key, ...lease }) => [key, { ...lease, node, customerKey: key }] as const);
      const query = {
        include_credits: true,
        customer: { keys: customers.map(({ key }) => key) },
        feature: { keys: [feature.key] },
      };
      return balances(deps, query, { after: undefined, size: customers.length }, signal, new Map(asked));
    },
  };
}

async function balances(
  deps: AccessQueryDeps,
  query: AccessQuery,
  page: CursorRequest,
  signal: AbortSignal | undefined,
  leases?: ReadonlyMap<string, LeaseAsk>,
): Promise<BalancesAnswer> {
  const nowMs = deps.scope.clock.nowMs();
  const { rows, ...rest } = await run(deps, query, page, signal, leases);
  const data = rows.map(({ customer, matched, subjects, access }) => ({
    matched,
    customer: { id: customer.id, key: customer.key },
    subjects: [...subjects],
    features: Object.fromEntries(access.map(([key, one]) => [key, balanceBody(one)])),
    updated_at: formatInstant(nowMs),
  }));
  return { data, ...rest };
}

async function run(
  deps: AccessQueryDeps,
  query: AccessQuery,
  page: CursorRequest,
  signal: AbortSignal | undefined,
  leases?: ReadonlyMap<string, LeaseAsk>,
): Promise<{ rows: Row[] } & Pick<AccessQueryAnswer, 'errors' | 'meta'>> {
  const keys = [...new Set(query.customer.keys)];
  const owners = await deps.findBySubjects(keys);
  const matchedById = Map.groupBy(
    keys.filter((key) => owners.has(key)),
    (key) => owners.get(key)?.id ?? '',
  );
  const found = (await deps.findCustomers([...matchedById.keys()])).toSorted(inOrder);
  const after = page.after === undefined ? undefined : decodeCursor(page.after);
  const rest = after === undefined ? found : found.filter((customer) => positionOf(customer) > after);
  const customers = rest.slice(0, page.size);
  const ids = customers.map(({ id }) => id);
  // Customers on a test clock have a now of their own.
  const now = await nowByCustomer(deps.scope);
  const access = await accessOf(ids, query.feature?.keys, now.of, deps, signal);
  const known = await featureKeys(deps.features, deps.scope, query);
  const subjects = await deps.findSubjects(ids);
  const matchedOf = (id: string) => matchedById.get(id) ?? [];
  const asks = query.include_credits
    ? creditAsks(access, (id) => matchedOf(id).flatMap((key) => leases?.get(key) ?? []))
    : [];
  const credit: CreditByFeature = asks.length === 0 ? new Map() : ((await deps.findCredit(asks, signal)) ?? new Map());
  const rows = customers.map(
    (customer): Row => ({
      customer,
      matched: matchedOf(customer.id),
      subjects: subjects.get(customer.id)?.subjects ?? [],
      access: Array.from(known, ([key, isLiving]) => {
        const missing: DenialCode = isLiving ? 'feature_unavailable' : 'feature_not_found';
        const own = access.get(customer.id)?.get(key) ?? missing;
        return [key, { access: own, credit: credit.get(customer.id)?.get(key) }] as const;
      }),
    }),
  );
  const unknown = after === undefined ? keys.filter((key) => !owners.has(key)) : [];
  return { rows, errors: unknown.map(customerNotFound), meta: metaOf(customers, page, rest.length > page.size) };
}

function customerNotFound(key: string): AccessQueryAnswer['errors'][number] {
  return { code: 'customer_not_found', message: 'no customer has this key or subject key', customer: key };
}

/** The keys that are asked about, and whether a living feature has each. */
async function featureKeys(
  features: Features,
  scope: Scope,
  { feature }: AccessQuery,
): Promise<ReadonlyMap<string, boolean>> {
  if (feature !== undefined) {
    const found = await features.findByKeys(feature.keys, scope);
    return new Map(
      feature.keys.map((key) => {
        const one = found.get(key);
        return [key, one !== undefined && one.deleted_at === undefined];
      }),
    );
  }
  const all = new Map<string, boolean>();
  for (let number = 1; all.size < MAX_FEATURES; number++) {
    const { data } = await features.list([], { field: 'key', direction: 'asc' }, { number, size: FEATURE_PAGE });
    for (const { key } of data) all.set(key, true);
    if (data.length < FEATURE_PAGE) break;
  }
  return all;
}

/** Nobody pays for what they may not use: of the others nothing is asked. @param leasesOf what is asked for of a customer */
function creditAsks(
  access: ReadonlyMap<string, ReadonlyMap<string, Access>>,
  leasesOf: (customerId: string) => readonly LeaseAsk[],
): CreditAsk[] {
  return [...access].flatMap(([customerId, byFeature]) =>
    [...byFeature].flatMap(([featureKey, { hasAccess }]) => {
      if (!hasAccess) return [];
      const leases = leasesOf(customerId);
      if (leases.length === 0) return [{ customerId, featureKey }];
      return leases.map((lease) => ({ customerId, featureKey, lease }));
    }),
  );
}

function denialOf({ access, credit }: Verdict): DenialCode | undefined {
  if (typeof access === 'string') return access;
  if (!access.hasAccess) return 'usage_limit_reached';
  const isSpent = credit?.units === '0' && (credit.leases ?? []).every(({ units }) => units === '0');
  return isSpent ? 'no_credit_available' : undefined;
}

function accessBody(verdict: Verdict): FeatureAccess {
  const code = denialOf(verdict);
  if (code === undefined) return { has_access: true };
  return { has_access: false, reason: { code, message: DENIAL_MESSAGES[code] } };
}

function creditBody({ currency, amount, units, nextUnitCost, meter, leases }: FeatureCredit): FeatureBalance['credit'] {
  return {
    currency,
    amount_left: amount,
    ...(units !== undefined && { units_left: units }),
    next_unit_cost: nextUnitCost,
    ...(meter && { meter }),
    ...(leases && {
      leases: leases.map(({ customerKey, units, validForMs }) => ({
        customer_key: customerKey,
        units,
        valid_for_ms: validForMs,
      })),
    }),
  };
}

function balanceBody(verdict: Verdict): FeatureBalance {
  const { access, credit } = verdict;
  const body = { ...accessBody(verdict), ...(credit && { credit: creditBody(credit) }) };
  if (typeof access === 'string') return body;
  const { measured, entitlement } = access;
  if (measured === undefined) return { ...body, type: entitlement.terms.type };
  const { meter, measuring } = measured.measured;
  return {
    ...body,
    type: 'metered',
    is_soft_limit: measuring.isSoftLimit,
    balance: formatDecimal(measured.balance),
    usage: formatDecimal(measured.usage),
    total_available: formatDecimal(measured.totalAvailableGrantAmount),
    resets_at: formatInstant(measured.resetsAtMs),
    // Usage that is converted, or that is a level, cannot be counted along event by event.
    ...(measuring.unitConfig === undefined &&
      measured.measured.allowance.usageKind === 'additive' && {
        meter: {
          event_type: meter.event_type,
          aggregation: meter.aggregation,
          ...(meter.value_property !== undefined && { value_property: meter.value_property }),
        },
      }),
  };
}

function inOrder(a: Customer, b: Customer): number {
  return positionOf(a) < positionOf(b) ? -1 : 1;
}

/** Customers are listed by their creation; ids break ties. */
function positionOf({ created_at, id }: Customer): string {
  return `${created_at} ${id}`;
}

function metaOf(customers: readonly Customer[], { size }: CursorRequest, hasMore: boolean): AccessQueryAnswer['meta'] {
  const first = customers.at(0);
  const last = customers.at(-1);
  return {
    page: {
      size,
      ...(first !== undefined && { first: encodeCursor(first) }),
      ...(last !== undefined && { last: encodeCursor(last) }),
      next: hasMore && last !== undefined ? encodeCursor(last) : null,
      previous: null,
    },
  };
}

function encodeCursor(customer: Customer): string {
  return Buffer.from(positionOf(customer)).toString('base64url');
}

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^\S+ [0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text)) throw invalidQuery('page[after]', 'is no cursor of this list');
  return text;
}
