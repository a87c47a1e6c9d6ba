import { z } from '@hono/zod-openapi';
import { dateTimeSchema, nameSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { createCustomerSchema } from '../customers/index.ts';

const customerRef = z.strictObject({ id: ulidSchema, key: z.string(), name: z.string() });

export const unattributedSubjectsSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        subject: z.string(),
        events: z.int().openapi({ description: 'Events that are not void.' }),
        voided: z.int(),
        last_seen_at: dateTimeSchema,
      }),
    ),
    total: z.int().openapi({ description: 'Subjects without a customer, also beyond the limit.' }),
    total_events: z.int().openapi({ description: 'All their events that are not void: usage that nobody pays for.' }),
  })
  .openapi('UnattributedSubjects');

const subjectSchema = createCustomerSchema.shape.key;

export const attributeSubjectSchema = z
  .strictObject({
    subject: subjectSchema.openapi({ description: 'A subject without a customer.' }),
    customer: z
      .strictObject({ id: ulidSchema.optional(), key: z.string().min(1).max(256).optional() })
      .refine(({ id, key }) => (id === undefined) !== (key === undefined), { error: 'must have either id or key' })
      .optional()
      .openapi({ description: 'The customer that gets the subject.' }),
    create_customer: createCustomerSchema
      .partial({ key: true, name: true })
      .extend({ name: nameSchema.optional() })
      .optional()
      .openapi({ description: 'A customer to be made from the subject, whose key and name it is by default.' }),
  })
  .refine(({ customer, create_customer }) => (customer === undefined) !== (create_customer === undefined), {
    error: 'must have either customer or create_customer',
  })
  .openapi('AttributeSubjectRequest');
export type AttributeSubject = z.output<typeof attributeSubjectSchema>;

export const usageSourcesSchema = z
  .strictObject({
    source: z.enum(['kong_consumers', 'subjects_seen']),
    data: z.array(
      z.strictObject({
        subject: z.string(),
        consumer: z
          .strictObject({ id: z.string(), username: z.string().optional(), custom_id: z.string().optional() })
          .optional(),
        customer: customerRef.optional().openapi({ description: 'Whose usage the subject is already.' }),
        events: z.int().optional(),
        last_seen_at: dateTimeSchema.optional(),
      }),
    ),
    warning: z.string().optional().openapi({ description: 'Why this is not all there is.' }),
  })
  .openapi('UsageSources');
export type UsageSources = z.output<typeof usageSourcesSchema>;
