import { z } from '@hono/zod-openapi';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import type { CustomerBillingService } from './customer-billing.ts';
import { customerDocumentSettingsSchema, documentSettingsSchema, numberingSettingsSchema } from './document-schema.ts';
import type { ProfilesService } from './service.ts';

const TAG = 'Billing profiles';
const profileId = z.object({ id: ulidSchema });
const customerId = z.object({ customerId: ulidSchema });

/** Registers what documents say of suppliers and customers, and how invoices are numbered. */
export function documentSettingsRoutes(
  router: Router,
  profiles: Pick<ProfilesService, 'documentSettings' | 'setDocumentSettings' | 'numbering' | 'setNumbering'>,
  customers: Pick<CustomerBillingService, 'documentSettings' | 'setDocumentSettings'>,
): void {
  profileDocumentRoutes(router, profiles);
  numberingRoutes(router, profiles);
  customerDocumentRoutes(router, customers);
}

function profileDocumentRoutes(
  router: Router,
  service: Pick<ProfilesService, 'documentSettings' | 'setDocumentSettings'>,
): void {
  const shared = { path: '/profiles/{id}/document-settings', tag: TAG, params: profileId };
  const responses = { 200: jsonResponse('The settings.', documentSettingsSchema) };
  router.endpoint(
    {
      ...shared,
      method: 'get',
      operationId: 'get-billing-profile-document-settings',
      summary: 'Get what documents say of the supplier',
      access: 'read',
      responses,
    },
    async ({ answer, params }) => answer(await service.documentSettings(params.id)),
  );
  router.endpoint(
    {
      ...shared,
      method: 'put',
      operationId: 'update-billing-profile-document-settings',
      summary: 'Set what documents say of the supplier',
      description: 'Replaces everything. Issued invoices keep what they were issued with.',
      access: 'write',
      body: documentSettingsSchema,
      responses,
    },
    async ({ answer, params, body }) => answer(await service.setDocumentSettings(params.id, body)),
  );
}

function numberingRoutes(router: Router, service: Pick<ProfilesService, 'numbering' | 'setNumbering'>): void {
  const shared = { path: '/profiles/{id}/numbering', tag: TAG, params: profileId };
  const responses = { 200: jsonResponse('The settings.', numberingSettingsSchema) };
  router.endpoint(
    {
      ...shared,
      method: 'get',
      operationId: 'get-billing-profile-numbering',
      summary: 'Get how invoices are numbered',
      access: 'read',
      responses,
    },
    async ({ answer, params }) => answer(await service.numbering(params.id)),
  );
  router.endpoint(
    {
      ...shared,
      method: 'put',
      operationId: 'update-billing-profile-numbering',
      summary: 'Set how invoices are numbered',
      description: 'From the next invoice on that is issued. Without "numbering" the app numbers them.',
      access: 'write',
      body: numberingSettingsSchema,
      responses,
    },
    async ({ answer, params, body }) => answer(await service.setNumbering(params.id, body)),
  );
}

function customerDocumentRoutes(
  router: Router,
  service: Pick<CustomerBillingService, 'documentSettings' | 'setDocumentSettings'>,
): void {
  const shared = { path: '/customers/{customerId}/document-settings', tag: 'Customers', params: customerId };
  const responses = { 200: jsonResponse('The settings.', customerDocumentSettingsSchema) };
  router.endpoint(
    {
      ...shared,
      method: 'get',
      operationId: 'get-customer-document-settings',
      summary: 'Get what documents say of a customer',
      access: 'read',
      responses,
    },
    async ({ answer, params }) => answer(await service.documentSettings(params.customerId)),
  );
  router.endpoint(
    {
      ...shared,
      method: 'put',
      operationId: 'update-customer-document-settings',
      summary: 'Set what documents say of a customer',
      description: 'Replaces everything. Issued invoices keep what they were issued with.',
      access: 'write',
      body: customerDocumentSettingsSchema,
      responses,
    },
    async ({ answer, params, body }) => answer(await service.setDocumentSettings(params.customerId, body)),
  );
}
