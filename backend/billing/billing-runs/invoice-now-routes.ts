import { z } from '@hono/zod-openapi';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { instantSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { type InvoiceAnswer, invoiceSchema } from '../invoices/index.ts';

const TAG = 'Invoices';
const customerId = z.object({ customerId: ulidSchema });
/** Charges named in one request: as many as one invoice may have lines. */
const MAX_CHARGES = 1000;

const invoiceNowSchema = z
  .strictObject({
    as_of: instantSchema.optional().openapi({ description: 'What falls due up to then; default and latest: now.' }),
    charge_ids: z.array(ulidSchema).max(MAX_CHARGES).optional(),
    progressive_billing: z.boolean().optional().openapi({ description: 'In place of what the profile says.' }),
  })
  .openapi('InvoiceNowRequest');
export type InvoiceNowBody = z.output<typeof invoiceNowSchema>;

/** Registers the operation that invoices a customer at once. */
export function invoiceNowRoutes(
  router: Router,
  invoiceNow: (customerId: string, request: InvoiceNowBody) => Promise<InvoiceAnswer[]>,
): void {
  router.endpoint(
    {
      method: 'post',
      path: '/customers/{customerId}/invoices',
      operationId: 'invoice-customer-now',
      changes: { type: 'billing/invoices' },
      tag: TAG,
      summary: 'Invoice a customer now',
      description:
        'Without waiting for the alignment; with progressive billing also what was used of periods that are running. ' +
        'One invoice for each currency.',
      access: 'write',
      params: customerId,
      body: invoiceNowSchema,
      responses: { 201: jsonResponse('The invoices.', z.strictObject({ data: z.array(invoiceSchema) })) },
    },
    async ({ answer, params, body }) => answer({ data: await invoiceNow(params.customerId, body) }, 201),
  );
}
