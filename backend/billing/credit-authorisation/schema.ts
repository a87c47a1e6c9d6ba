import { z } from '@hono/zod-openapi';
import { dateTimeSchema, numericSchema } from '../../platform/http/schemas.ts';

export const creditStopSchema = z
  .strictObject({
    stops_without_credit: z.boolean().openapi({
      description:
        'Whether gateways refuse usage of the feature that the customer has no credit for, also where it would be invoiced. ' +
        'What is paid from credit alone is refused in any case.',
    }),
  })
  .openapi('FeatureCreditStop');
export type CreditStop = z.output<typeof creditStopSchema>;

const creditLeaseSchema = z
  .strictObject({
    feature_key: z.string(),
    node: z.string(),
    customer_key: z.string().openapi({ description: 'As the node knows the customer.' }),
    units: numericSchema.openapi({
      description: 'What the node may let through by itself, or has and the server was not told of.',
    }),
    granted_at: dateTimeSchema,
    expires_at: dateTimeSchema.openapi({ description: 'When others can have it, unless it is renewed.' }),
  })
  .openapi('CreditLease');
export type CreditLeaseBody = z.output<typeof creditLeaseSchema>;

export const creditLeasesSchema = z.strictObject({ data: z.array(creditLeaseSchema) }).openapi('CreditLeases');
