import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { expand, notOneOf } from '../../platform/http/query-parts.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import {
  type CurrencyFilterField,
  costBasisPageSchema,
  costBasisSchema,
  createCostBasisSchema,
  createCustomCurrencySchema,
  currencyPageSchema,
  customCurrencySchema,
} from './schema.ts';
import { CURRENCY_SORT, type CurrenciesService } from './service.ts';

const TAG = 'Currencies';
const FILTERS: Record<CurrencyFilterField, FilterKind> = { type: 'plain', code: 'string' };
const COST_BASIS_FILTERS = { fiat_code: 'plain' } as const;
const TYPES = ['fiat', 'custom'];
/** The contract's default for this list: all that most need are on one page. */
const DEFAULT_PAGE_SIZE = 100;
const currencyId = z.object({ currencyId: ulidSchema });

const QUERY = queryOf({
  page: numberedPage(DEFAULT_PAGE_SIZE),
  sort: sortBy(CURRENCY_SORT),
  filters: refine(filterBy(FILTERS), (filters) => {
    const type = filters.find(({ field }) => field === 'type')?.values[0];
    if (type !== undefined && !TYPES.includes(type)) throw notOneOf('filter[type]', TYPES);
    return filters;
  }),
  withCosts: expand('cost_basis', '"cost_basis" adds what custom ones cost.'),
});

/** Registers the operations of currencies. */
export function currencyRoutes(router: Router, service: CurrenciesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/currencies',
      operationId: 'list-currencies',
      tag: TAG,
      summary: 'List currencies',
      description: 'Those of ISO 4217 with their digits, and custom ones. Pages have 100 unless told.',
      access: 'read',
      query: QUERY,
      responses: { 200: jsonResponse('A page of currencies.', currencyPageSchema) },
    },
    async ({ answer, query }) => answer(await service.list(query.filters, query.sort, query.page, query.withCosts)),
  );
  resourceRoutes(router, {
    kind: 'custom-currency',
    name: 'custom currency',
    path: '/currencies/custom/{currencyId}',
    tag: TAG,
    schema: customCurrencySchema,
    create: {
      description: 'A unit of your own to price in, such as credits. It cannot be deleted, as amounts stay in it.',
      answer: 'The currency.',
      access: 'write',
      body: createCustomCurrencySchema,
      run: service.createCustom,
    },
    get: { answer: 'The currency, with what it costs now and later.', run: service.getCustom },
  });
  costBasisRoutes(router, service);
}

function costBasisRoutes(router: Router, service: CurrenciesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/currencies/custom/{currencyId}/cost-bases',
      operationId: 'list-cost-bases',
      tag: TAG,
      summary: 'List cost bases',
      description: 'Past, present and coming ones, the latest first.',
      access: 'read',
      params: currencyId,
      query: queryOf({ page: numberedPage(), filters: filterBy(COST_BASIS_FILTERS) }),
      responses: { 200: jsonResponse('A page of cost bases.', costBasisPageSchema) },
    },
    async ({ answer, params, query }) => {
      const fiatCode = query.filters[0]?.values[0];
      return answer(await service.listCostBases(params.currencyId, fiatCode, query.page));
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/currencies/custom/{currencyId}/cost-bases',
      operationId: 'create-cost-basis',
      tag: TAG,
      summary: 'Create cost basis',
      description: 'What one unit costs in a fiat currency, from now or later. The one before ends where it begins.',
      access: 'write',
      params: currencyId,
      body: createCostBasisSchema,
      responses: { 201: jsonResponse('The cost basis.', costBasisSchema) },
    },
    async ({ answer, params, body }) => answer(await service.createCostBasis(params.currencyId, body), 201),
  );
}
