import { z } from '@hono/zod-openapi';
import { dateTimeSchema, numericSchema, ulidSchema } from '../../platform/http/schemas.ts';

export const revenueSchema = z
  .strictObject({
    from: dateTimeSchema,
    to: dateTimeSchema,
    data: z
      .array(
        z.strictObject({
          currency: z.string(),
          total: numericSchema.openapi({ description: 'Sum of the totals, with taxes that were added.' }),
          invoices: z.int(),
          customers: z.int().openapi({ description: 'How many customers were invoiced.' }),
          top_customers: z.array(
            z.strictObject({
              customer: z.strictObject({ id: ulidSchema, key: z.string(), name: z.string() }),
              total: numericSchema,
              invoices: z.int(),
            }),
          ),
        }),
      )
      .openapi({ description: 'For each currency, by its code.' }),
  })
  .openapi('Revenue');
export type RevenueBody = z.infer<typeof revenueSchema>;
