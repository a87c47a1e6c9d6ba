import { z } from '@hono/zod-openapi';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { BALANCE_QUERY, GRANTS_QUERY, TRANSACTIONS_QUERY } from './queries.ts';
import type { CreditReading } from './reading.ts';
import {
  adjustmentSchema,
  balancesSchema,
  createAdjustmentSchema,
  createGrantSchema,
  grantPageSchema,
  grantSchema,
  settlementSchema,
  transactionPageSchema,
  voidSchema,
} from './schema.ts';
import type { CreditsService } from './service.ts';

const TAG = 'Credits';
const GRANTS = '/customers/{customerId}/credits/grants';
const ofCustomer = z.object({ customerId: ulidSchema });
const ofGrant = z.object({ customerId: ulidSchema, creditGrantId: ulidSchema });
const grantAnswer = { 200: jsonResponse('The grant.', grantSchema) };

/** Registers the operations on grants. */
export function grantRoutes(router: Router, service: CreditsService): void {
  router.endpoint(
    {
      method: 'post',
      path: GRANTS,
      operationId: 'create-credit-grant',
      tag: TAG,
      summary: 'Create a new credit grant',
      description: 'The same key twice is refused, so that a request can be sent again.',
      access: 'write',
      params: ofCustomer,
      body: createGrantSchema,
      responses: { 201: jsonResponse('The grant.', grantSchema) },
    },
    async ({ answer, params, body }) => answer(await service.createGrant(params.customerId, body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: GRANTS,
      operationId: 'list-credit-grants',
      tag: TAG,
      summary: 'List credit grants',
      access: 'read',
      params: ofCustomer,
      query: GRANTS_QUERY,
      responses: { 200: jsonResponse('A page of grants, the newest first.', grantPageSchema) },
    },
    async ({ answer, params, query }) => answer(await service.listGrants(params.customerId, query.filters, query.page)),
  );
  router.endpoint(
    {
      method: 'get',
      path: `${GRANTS}/{creditGrantId}`,
      operationId: 'get-credit-grant',
      tag: TAG,
      summary: 'Get a credit grant',
      access: 'read',
      params: ofGrant,
      responses: grantAnswer,
    },
    async ({ answer, params }) => answer(await service.getGrant(params.customerId, params.creditGrantId)),
  );
  grantStepRoutes(router, service);
}

function grantStepRoutes(router: Router, service: CreditsService): void {
  router.endpoint(
    {
      method: 'post',
      path: `${GRANTS}/{creditGrantId}/settlement/external`,
      operationId: 'update-credit-grant-external-settlement',
      tag: TAG,
      summary: 'Update credit grant external settlement status',
      description: 'What became of a payment that is made elsewhere. The same status again changes nothing.',
      access: 'write',
      params: ofGrant,
      body: settlementSchema,
      responses: grantAnswer,
    },
    async ({ answer, params, body }) => answer(await service.settle(params.customerId, params.creditGrantId, body)),
  );
  router.endpoint(
    {
      method: 'post',
      path: `${GRANTS}/{creditGrantId}/void`,
      operationId: 'void-credit-grant',
      tag: TAG,
      summary: 'Void credit grant',
      description:
        'What is left is taken away for good; what was used stays used, and what was paid stays paid. Again changes nothing.',
      access: 'write',
      params: ofGrant,
      body: voidSchema,
      bodyIsOptional: true,
      responses: grantAnswer,
    },
    async ({ answer, params }) => answer(await service.voidGrant(params.customerId, params.creditGrantId)),
  );
}

/** Registers balance, transactions and adjustments. */
export function ledgerRoutes(router: Router, service: CreditsService, reading: CreditReading): void {
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/credits/adjustments',
      operationId: 'create-credit-adjustment',
      changes: { type: 'credits' },
      tag: TAG,
      summary: 'Create a credit adjustment',
      description: 'Gives credit without an end, or takes some, also below zero.',
      access: 'write',
      params: ofCustomer,
      body: createAdjustmentSchema,
      responses: { 201: jsonResponse('The adjustment.', adjustmentSchema) },
    },
    async ({ answer, params, body }) => answer(await service.adjust(params.customerId, body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/credits/balance',
      operationId: 'get-customer-credit-balance',
      tag: TAG,
      summary: "Get a customer's credit balance",
      access: 'read',
      params: ofCustomer,
      query: BALANCE_QUERY,
      responses: { 200: jsonResponse('The balances by currency.', balancesSchema) },
    },
    async ({ answer, params, query: { atMs, filter } }) =>
      answer(await reading.balance(params.customerId, { atMs, ...filter })),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/credits/transactions',
      operationId: 'list-credit-transactions',
      tag: TAG,
      summary: 'List credit transactions',
      description: 'Balances run over everything in the currency and view, also where a type is filtered.',
      access: 'read',
      params: ofCustomer,
      query: TRANSACTIONS_QUERY,
      responses: { 200: jsonResponse('A page of transactions, the newest first.', transactionPageSchema) },
    },
    async ({ answer, params, query: { page, filter } }) =>
      answer(await reading.transactions(params.customerId, { page, ...filter })),
  );
}
