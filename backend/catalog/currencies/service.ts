import { passesCondition } from '../../platform/http/filter-match.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant, parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { currencyCodeTaken, currencyNotFound, invalidCostBasis, tooManyCurrencies } from './errors.ts';
import { FIAT_CURRENCY_LIST } from './fiat-formats.ts';
import { currencyRepository } from './repository.ts';
import type {
  CostBasis,
  CreateCostBasis,
  CreateCustomCurrency,
  CurrencyFilterField,
  CurrencySortField,
  CustomCurrency,
  FiatCurrency,
} from './schema.ts';

export const CURRENCY_SORT: SortRules<CurrencySortField> = {
  fields: ['code', 'name'],
  default: 'code',
  defaultDirection: 'asc',
};

/** The list of currencies is put together in memory; nobody bills in more of their own than this. */
const MAX_CUSTOM_CURRENCIES = 1000;

interface Page<Item> {
  data: Item[];
  meta: ReturnType<typeof pageMeta>;
}

export interface CurrenciesService {
  list(
    filters: readonly FilterCondition<CurrencyFilterField>[],
    sort: Sort<CurrencySortField>,
    page: PageRequest,
    expandCostBasis: boolean,
  ): Promise<Page<FiatCurrency | CustomCurrency>>;
  /** @throws DomainProblem 409 for a code in use */
  createCustom(request: CreateCustomCurrency): Promise<CustomCurrency>;
  /** With its cost bases that hold now or later. @throws RequestProblem 404 */
  getCustom(id: string): Promise<CustomCurrency>;
  /** @throws RequestProblem 404 */
  listCostBases(currencyId: string, fiatCode: string | undefined, page: PageRequest): Promise<Page<CostBasis>>;
  /** One cost basis holds at a time for a fiat currency: the one before ends where the new one begins. */
  createCostBasis(currencyId: string, request: CreateCostBasis): Promise<CostBasis>;
}

/** Currencies: those of ISO 4217, and custom ones such as credits. */
export function createCurrenciesService(deps: { scope: Scope }): CurrenciesService {
  const { scope } = deps;
  return {
    list: (filters, sort, page, expandCostBasis) =>
      scope.transaction(async (scope) => {
        const currencies = currencyRepository(scope);
        const all = [...FIAT_CURRENCY_LIST, ...(await currencies.all())];
        const passing = all.filter((currency) =>
          filters.every((condition) => passesCondition(currency[condition.field], condition)),
        );
        const sorted = passing.toSorted(byField(sort));
        const shown = sorted.slice((page.number - 1) * page.size, page.number * page.size);
        const data: (FiatCurrency | CustomCurrency)[] = [];
        for (const currency of shown) {
          const withBasis = expandCostBasis && currency.type === 'custom';
          data.push(withBasis ? await withCostBasis(scope, currency, scope.clock.nowMs()) : currency);
        }
        return { data, meta: pageMeta(page, sorted.length) };
      }),
    createCustom: (request) =>
      scope.transaction(async (scope) => {
        const currencies = currencyRepository(scope);
        if ((await currencies.byCode(request.code)) !== undefined) throw currencyCodeTaken(request.code);
        if ((await currencies.all()).length >= MAX_CUSTOM_CURRENCIES) throw tooManyCurrencies(MAX_CUSTOM_CURRENCIES);
        const id = scope.newId();
        await currencies.insert({ type: 'custom', id, ...request, created_at: formatInstant(scope.clock.nowMs()) });
        return existing(scope, id);
      }),
    getCustom: async (id) => withCostBasis(scope, await existing(scope, id), scope.clock.nowMs()),
    listCostBases: async (currencyId, fiatCode, page) => {
      await existing(scope, currencyId);
      const { costBases, total } = await currencyRepository(scope).costBasisPage(currencyId, fiatCode, page);
      return { data: costBases, meta: pageMeta(page, total) };
    },
    createCostBasis: (currencyId, request) =>
      scope.transaction(async (scope) => {
        await existing(scope, currencyId);
        const basis = newCostBasis(request, scope.clock.nowMs(), scope.newId());
        return insertCostBasis(scope, currencyId, basis);
      }),
  };
}

function newCostBasis(request: CreateCostBasis, nowMs: number, id: string): CostBasis {
  const { fiat_code, rate, effective_from, effective_to } = request;
  const fromMs = effective_from === undefined ? nowMs : instantMs(effective_from);
  // A rate that changed in the past would change what is already billed.
  if (effective_from !== undefined && fromMs <= nowMs) throw invalidCostBasis('cost_basis_not_in_future');
  if (effective_to !== undefined && instantMs(effective_to) <= fromMs) throw invalidCostBasis('cost_basis_empty');
  return {
    id,
    fiat_code,
    rate,
    effective_from: formatInstant(fromMs),
    ...(effective_to !== undefined && { effective_to }),
    created_at: formatInstant(nowMs),
  };
}

async function insertCostBasis(scope: Scope, currencyId: string, basis: CostBasis): Promise<CostBasis> {
  const currencies = currencyRepository(scope);
  const fromMs = instantMs(basis.effective_from);
  const later: CostBasis[] = [];
  for (const other of await currencies.currentCostBases(currencyId, fromMs, basis.fiat_code)) {
    if (instantMs(other.effective_from) > fromMs) later.push(other);
    else await currencies.endCostBasis(other.id, basis.effective_from);
  }
  const [next] = later;
  const endsLater =
    basis.effective_to === undefined || (next && instantMs(basis.effective_to) > instantMs(next.effective_from));
  const bounded = next !== undefined && endsLater ? { ...basis, effective_to: next.effective_from } : basis;
  await currencies.insertCostBasis(currencyId, bounded);
  return bounded;
}

async function existing(scope: Scope, id: string): Promise<CustomCurrency> {
  const currency = await currencyRepository(scope).byId(id);
  if (currency === undefined) throw currencyNotFound(id);
  return currency;
}

async function withCostBasis(scope: Scope, currency: CustomCurrency, nowMs: number): Promise<CustomCurrency> {
  return { ...currency, cost_basis: await currencyRepository(scope).currentCostBases(currency.id, nowMs) };
}

function byField({ field, direction }: Sort<CurrencySortField>) {
  const sign = direction === 'asc' ? 1 : -1;
  return (a: FiatCurrency | CustomCurrency, b: FiatCurrency | CustomCurrency) =>
    sign * (compare(a[field], b[field]) || compare(a.code, b.code));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function instantMs(text: string): number {
  return parseInstant(text) ?? Number.NaN;
}
