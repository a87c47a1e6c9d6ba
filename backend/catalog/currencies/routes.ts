import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../../platform/errors.ts';
import { type FilterKind, readFilters } from '../../platform/http/filtering.ts';
import { listQuery } from '../../platform/http/list-docs.ts';
import { readPage } from '../../platform/http/paging.ts';
import type { QueryParams } from '../../platform/http/query-params.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { readSort } from '../../platform/http/sorting.ts';
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
      query: listQuery('page', CURRENCY_SORT, FILTERS).extend({
        expand: z
          .string()
          .optional()
          .openapi({ param: { in: 'query' }, description: '"cost_basis" adds what custom ones cost.' }),
      }),
      responses: { 200: jsonResponse('A page of currencies.', currencyPageSchema) },
    },
    async ({ answer, query }) => {
      const filters = readFilters(query, FILTERS);
      const type = filters.find(({ field }) => field === 'type')?.values[0];
      if (type !== undefined && !TYPES.includes(type)) throw notOneOf('filter[type]', TYPES);
      const page = readPage(query, DEFAULT_PAGE_SIZE);
      return answer(await service.list(filters, readSort(query, CURRENCY_SORT), page, readExpand(query)));
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/currencies/custom',
      operationId: 'create-custom-currency',
      tag: TAG,
      summary: 'Create custom currency',
      description: 'A unit of your own to price in, such as credits. It cannot be deleted, as amounts stay in it.',
      access: 'write',
      body: createCustomCurrencySchema,
      responses: { 201: jsonResponse('The currency.', customCurrencySchema) },
    },
    async ({ answer, body }) => answer(await service.createCustom(body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/currencies/custom/{currencyId}',
      operationId: 'get-custom-currency',
      tag: TAG,
      summary: 'Get custom currency',
      access: 'read',
      params: currencyId,
      responses: { 200: jsonResponse('The currency, with what it costs now and later.', customCurrencySchema) },
    },
    async ({ answer, params }) => answer(await service.getCustom(params.currencyId)),
  );
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
      query: listQuery('page', undefined, COST_BASIS_FILTERS),
      responses: { 200: jsonResponse('A page of cost bases.', costBasisPageSchema) },
    },
    async ({ answer, params, query }) => {
      const fiatCode = readFilters(query, COST_BASIS_FILTERS)[0]?.values[0];
      return answer(await service.listCostBases(params.currencyId, fiatCode, readPage(query)));
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

function readExpand(query: QueryParams): boolean {
  const text = query.get('expand');
  if (text === undefined || text === '') return false;
  if (text.split(',').every((item) => item === 'cost_basis')) return true;
  throw notOneOf('expand', ['cost_basis']);
}

function notOneOf(field: string, choices: readonly string[]) {
  return invalidParameter({
    field,
    rule: 'enum',
    reason: `must be one of ${choices.join(', ')}`,
    choices,
    source: 'query',
  });
}
