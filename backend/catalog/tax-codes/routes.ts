import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { flag } from '../../platform/http/query-parts.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import {
  createTaxCodeSchema,
  defaultTaxCodesSchema,
  taxCodePageSchema,
  taxCodeSchema,
  updateDefaultTaxCodesSchema,
  upsertTaxCodeSchema,
} from './schema.ts';
import type { TaxCodesService } from './service.ts';

const TAG = 'Tax codes';

/** Registers the operations of tax codes. */
export function taxCodeRoutes(router: Router, service: TaxCodesService): void {
  resourceRoutes(router, {
    kind: 'tax-code',
    name: 'tax code',
    path: '/tax-codes/{taxCodeId}',
    tag: TAG,
    schema: taxCodeSchema,
    create: {
      answer: 'The tax code.',
      access: 'write',
      body: createTaxCodeSchema,
      run: service.create,
    },
    list: {
      description: "The oldest first; the system's own come before all.",
      answer: 'A page of tax codes.',
      page: taxCodePageSchema,
      query: queryOf({
        page: numberedPage(),
        includeDeleted: flag('include_deleted', '"true" lists deleted ones too.'),
      }),
      run: (query) => service.list(query.includeDeleted, query.page),
    },
    get: { answer: 'The tax code; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'upsert',
      description: 'Replaces everything but the key: what is left out is removed.',
      answer: 'The tax code.',
      access: 'write',
      body: upsertTaxCodeSchema,
      run: service.update,
    },
    remove: {
      description: 'What refers to it keeps it. Deleting twice answers 204 twice.',
      access: 'write',
      run: service.remove,
    },
  });
  defaultRoutes(router, service);
}

function defaultRoutes(router: Router, service: TaxCodesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/defaults/tax-codes',
      operationId: 'get-organization-default-tax-codes',
      tag: TAG,
      summary: 'Get organization default tax codes',
      access: 'read',
      responses: { 200: jsonResponse('The defaults.', defaultTaxCodesSchema) },
    },
    async ({ answer }) => answer(await service.defaults()),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/defaults/tax-codes',
      operationId: 'update-organization-default-tax-codes',
      tag: TAG,
      summary: 'Update organization default tax codes',
      description: 'What is left out stays.',
      access: 'write',
      body: updateDefaultTaxCodesSchema,
      responses: { 200: jsonResponse('The defaults.', defaultTaxCodesSchema) },
    },
    async ({ answer, body }) => answer(await service.updateDefaults(body)),
  );
}
