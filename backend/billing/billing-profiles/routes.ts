import { z } from '@hono/zod-openapi';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import type { CustomerBillingService } from './customer-billing.ts';
import {
  adjustmentSettingsSchema,
  appDataSchema,
  createProfileSchema,
  customerBillingSchema,
  profilePageSchema,
  profileSchema,
  upsertProfileSchema,
} from './schema.ts';
import type { ProfilesService } from './service.ts';

const TAG = 'Billing profiles';
const profileId = z.object({ id: ulidSchema });
const customerId = z.object({ customerId: ulidSchema });

/** Registers the operations of billing profiles. */
export function profileRoutes(router: Router, service: ProfilesService): void {
  resourceRoutes(router, {
    kind: 'billing-profile',
    name: 'a billing profile',
    names: 'billing profiles',
    path: '/profiles/{id}',
    tag: TAG,
    schema: profileSchema,
    list: {
      answer: 'A page of profiles.',
      page: profilePageSchema,
      query: queryOf({ page: numberedPage() }),
      run: (query) => service.list(query.page),
    },
    create: {
      summary: 'Create a new billing profile',
      description: 'A new default takes the place of the old one.',
      answer: 'The profile.',
      access: 'write',
      body: createProfileSchema,
      run: service.create,
    },
    get: { answer: 'The profile; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'update',
      description: 'Replaces everything but the apps. Invoices that exist keep the settings that they were made with.',
      answer: 'The profile.',
      access: 'write',
      body: upsertProfileSchema,
      run: service.update,
    },
    remove: {
      description: 'Refused for the default profile, and while customers or invoices that are not final use it.',
      access: 'write',
      run: service.remove,
    },
  });
  adjustmentRoutes(router, service);
}

function adjustmentRoutes(router: Router, service: ProfilesService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/profiles/{id}/adjustment-settings',
      operationId: 'get-billing-profile-adjustment-settings',
      tag: TAG,
      summary: 'Get what happens to late usage and unused time',
      access: 'read',
      params: profileId,
      responses: { 200: jsonResponse('The settings.', adjustmentSettingsSchema) },
    },
    async ({ answer, params }) => answer(await service.adjustments(params.id)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/profiles/{id}/adjustment-settings',
      operationId: 'update-billing-profile-adjustment-settings',
      tag: TAG,
      summary: 'Set what happens to late usage and unused time',
      access: 'write',
      params: profileId,
      body: adjustmentSettingsSchema,
      responses: { 200: jsonResponse('The settings.', adjustmentSettingsSchema) },
    },
    async ({ answer, params, body }) => answer(await service.setAdjustments(params.id, body)),
  );
}

/** Registers the operations on a customer's billing data. */
export function customerBillingRoutes(router: Router, service: CustomerBillingService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/customers/{customerId}/billing',
      operationId: 'get-customer-billing',
      tag: 'Customers',
      summary: 'Get customer billing data',
      description: 'Without billing_profile the default profile bills the customer.',
      access: 'read',
      params: customerId,
      responses: { 200: jsonResponse('The billing data.', customerBillingSchema) },
    },
    async ({ answer, params }) => answer(await service.get(params.customerId)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/customers/{customerId}/billing',
      operationId: 'update-customer-billing',
      tag: 'Customers',
      summary: 'Update customer billing data',
      access: 'write',
      params: customerId,
      body: customerBillingSchema,
      responses: { 200: jsonResponse('The billing data.', customerBillingSchema) },
    },
    async ({ answer, params, body }) => answer(await service.replace(params.customerId, body)),
  );
  router.endpoint(
    {
      method: 'put',
      path: '/customers/{customerId}/billing/app-data',
      operationId: 'update-customer-billing-app-data',
      tag: 'Customers',
      summary: 'Update customer billing app data',
      access: 'write',
      params: customerId,
      body: appDataSchema,
      responses: { 200: jsonResponse('The data for apps.', appDataSchema) },
    },
    async ({ answer, params, body }) => answer(await service.replaceAppData(params.customerId, body)),
  );
}
