import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { customerTaxSchema, taxRatePageSchema, taxRateSchema, upsertTaxRateSchema } from './schema.ts';
import type { TaxService } from './service.ts';

const TAG = 'Taxes';
const customerId = z.object({ customerId: ulidSchema });

/** Registers the operations of tax rates and of what customers are for taxes. */
export function taxRoutes(router: Router, service: TaxService): void {
  resourceRoutes(router, {
    kind: 'tax-rate',
    name: 'a tax rate',
    names: 'tax rates',
    path: '/tax-rates/{taxRateId}',
    tag: TAG,
    schema: taxRateSchema,
    create: {
      description: 'For a country, a kind of customer and a tax code; there is one rate for the same of these.',
      answer: 'The tax rate.',
      access: 'write',
      body: upsertTaxRateSchema,
      run: service.create,
    },
    list: {
      answer: 'A page of tax rates.',
      page: taxRatePageSchema,
      query: queryOf({ page: numberedPage() }),
      run: (query) => service.list(query.page),
    },
    get: { answer: 'The tax rate; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'update',
      description: 'Replaces everything. Invoices that are issued keep the taxes that they have.',
      answer: 'The tax rate.',
      access: 'write',
      body: upsertTaxRateSchema,
      run: service.update,
    },
    remove: {
      description: 'Invoices that are issued keep the taxes that they have. Deleting twice answers 204 twice.',
      access: 'write',
      run: service.remove,
    },
  });
  customerTaxRoutes(router, service);
}

function customerTaxRoutes(router: Router, service: TaxService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/tax',
      operationId: 'get-customer-tax',
      tag: TAG,
      summary: 'Get how a customer is taxed',
      access: 'read',
      params: customerId,
      responses: { 200: jsonResponse('How the customer is taxed.', customerTaxSchema) },
    },
    async ({ answer, params }) => answer(await service.customerTax(params.customerId)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/customers/{customerId}/tax',
      operationId: 'update-customer-tax',
      tag: TAG,
      summary: 'Set how a customer is taxed',
      description: 'Drafts follow when they are rated again; invoices that are issued keep the taxes that they have.',
      access: 'write',
      params: customerId,
      body: customerTaxSchema,
      responses: { 200: jsonResponse('How the customer is taxed.', customerTaxSchema) },
    },
    async ({ answer, params, body }) => answer(await service.setCustomerTax(params.customerId, body)),
  );
}
