import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema } from '../../platform/http/schemas.ts';

const rangeSchema = z.strictObject({ first: z.int(), last: z.int() });

export const gatewayProcessSchema = z
  .strictObject({
    node: z.string(),
    process: z.string().openapi({ description: 'One run of one plugin server; its numbers begin at 1.' }),
    first_seen_at: dateTimeSchema,
    last_seen_at: dateTimeSchema,
    received: z.int().openapi({ description: 'Events that arrived, repeated and refused ones included.' }),
    stored: z.int(),
    duplicates: z.int(),
    rejected: z.int(),
    taken: z.int().optional().openapi({ description: 'Events that the process says it has taken from the gateway.' }),
    last_number: z.int().optional().openapi({ description: 'The highest number that has arrived.' }),
    missing_count: z.int().openapi({ description: 'Numbers below it that have not arrived.' }),
    missing: z.array(rangeSchema).openapi({ description: 'The first hundred ranges of them.' }),
    dropped: z.record(z.string(), z.int()).openapi({ description: 'What the process says it has dropped, by reason.' }),
    requests_served: z
      .int()
      .optional()
      .openapi({
        description:
          'Requests that the gateway served, by its own count, while this process was the one to read it. ' +
          'Only one process of a gateway reads at a time, so those of several may be added up.',
      }),
    log_entries: z.int().optional().openapi({
      description: "Log entries that reached all of the gateway's plugin servers in the same time.",
    }),
  })
  .openapi('GatewayProcess');

export const gatewayProcessPageSchema = z
  .strictObject({ data: z.array(gatewayProcessSchema), meta: pageMetaSchema })
  .openapi('GatewayProcessPage');
export type GatewayProcessPage = z.output<typeof gatewayProcessPageSchema>;
