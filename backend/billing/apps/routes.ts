import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import {
  appPageSchema,
  appSchema,
  appTypeSchema,
  catalogItemSchema,
  catalogPageSchema,
  installAppSchema,
  installedAppSchema,
  updateAppSchema,
} from './schema.ts';
import type { AppsService } from './service.ts';

const TAG = 'Apps';

/** Registers the operations of the app catalog and of installed apps. */
export function appRoutes(router: Router, service: AppsService): void {
  catalogRoutes(router, service);
  resourceRoutes(router, {
    kind: 'app',
    name: 'app',
    path: '/apps/{appId}',
    tag: TAG,
    schema: appSchema,
    list: {
      answer: 'A page of installed apps.',
      page: appPageSchema,
      query: queryOf({ page: numberedPage() }),
      run: (query) => service.list(query.page),
    },
    get: { answer: 'The app; an uninstalled one carries deleted_at.', run: service.get },
    change: {
      verb: 'update',
      description:
        'Replaces name, description, labels and, for external_invoicing, the two hooks; for stripe the key, by one of the same account.',
      answer: 'The app.',
      access: 'administer',
      body: updateAppSchema,
      run: service.update,
    },
    remove: {
      verb: 'uninstall',
      description: 'Refused while a billing profile or an invoice that is not final uses the app.',
      answer: 'Uninstalled.',
      access: 'administer',
      run: service.uninstall,
    },
  });
}

function catalogRoutes(router: Router, service: AppsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/app-catalog',
      operationId: 'list-app-catalog',
      tag: TAG,
      summary: 'List app catalog',
      access: 'read',
      query: queryOf({ page: numberedPage() }),
      responses: { 200: jsonResponse('What can be installed.', catalogPageSchema) },
    },
    ({ answer, query }) => answer(service.catalog(query.page)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/app-catalog/install',
      operationId: 'install-app',
      changes: { type: 'apps' },
      tag: TAG,
      summary: 'Install app from the catalog',
      description:
        'With create_billing_profile a profile is made for the app; it becomes the default one where the default is a ' +
        "sandbox's. For stripe the key's account is asked for, and told to send its events here.",
      access: 'administer',
      body: installAppSchema,
      responses: { 201: jsonResponse('The app.', installedAppSchema) },
    },
    async ({ answer, body }) => answer(await service.install(body), 201),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/app-catalog/{appType}',
      operationId: 'get-app-catalog-item',
      tag: TAG,
      summary: 'Get app catalog item by type',
      access: 'read',
      params: z.object({ appType: appTypeSchema }),
      responses: { 200: jsonResponse('What can be installed.', catalogItemSchema) },
    },
    ({ answer, params }) => answer(service.catalogItem(params.appType)),
  );
}
