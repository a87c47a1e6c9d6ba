import { z } from '@hono/zod-openapi';
import { cursorMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';

export const OUTCOMES = ['succeeded', 'refused', 'failed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const content = (description: string) => z.unknown().optional().openapi({ description });

export const auditEntrySchema = z
  .strictObject({
    id: ulidSchema,
    time: dateTimeSchema,
    actor: z.strictObject({
      id: z.string().openapi({ description: "The access token's id." }),
      name: z.string().openapi({ description: "The access token's name, as it was then." }),
      role: z.string(),
      address: z.string().optional().openapi({
        description: 'The other end of the connection: the client, or a proxy before this server.',
      }),
    }),
    operation_id: z.string(),
    method: z.string(),
    path: z.string(),
    resource: z.strictObject({
      type: z.string().openapi({ description: 'The static parts of its path: "plans", "customers/billing".' }),
      id: z.string().optional(),
    }),
    outcome: z.enum(OUTCOMES).openapi({
      description:
        'unknown: there is no answer yet, or the server ended before there was one, and the change may have been made ' +
        'or not.',
    }),
    status: z.int().optional().openapi({ description: 'Status of the answer; absent while the outcome is unknown.' }),
    request_id: z.string(),
    request: content('The body, without secrets.'),
    before: content('The resource before the change, as its GET answered it; without secrets.'),
    after: content('The resource after the change, or the answer where something was made; without secrets.'),
  })
  .openapi('AuditEntry');
export type AuditEntry = z.output<typeof auditEntrySchema>;

export const auditPageSchema = z
  .strictObject({ data: z.array(auditEntrySchema), meta: cursorMetaSchema })
  .openapi('AuditEntryPage');
export type AuditPage = z.output<typeof auditPageSchema>;
