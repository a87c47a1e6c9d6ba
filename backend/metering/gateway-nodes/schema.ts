import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema } from '../../platform/http/schemas.ts';

const rangeSchema = z.strictObject({ first: z.int(), last: z.int() });

const gatewayProcessSchema = z
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
  })
  .openapi('GatewayProcess');

export const gatewayProcessPageSchema = z
  .strictObject({ data: z.array(gatewayProcessSchema), meta: pageMetaSchema })
  .openapi('GatewayProcessPage');
export type GatewayProcessPage = z.output<typeof gatewayProcessPageSchema>;

const gatewayRequestsSchema = z
  .strictObject({
    node: z.string(),
    account: z.string().openapi({ description: 'The gateway begins a new one when its spool folder was lost.' }),
    first_seen_at: dateTimeSchema,
    last_seen_at: dateTimeSchema,
    served: z.int().openapi({
      description: 'Requests that are over, by the own count of the gateway, since the account was opened.',
    }),
    metered: z.int().openapi({ description: 'Those of them that made events.' }),
    not_metered: z
      .record(z.string(), z.int())
      .openapi({ description: 'Those of them that made none, by reason, such as `no_subject`.' }),
    under_way: z.int().openapi({ description: 'Those of them whose log entry may be on its way.' }),
    unexplained: z.int().openapi({
      description:
        'Those of them whose log entry has not arrived: lost between the gateway and its plugin server, or never ' +
        'meant for it, such as requests to a route without the plugin.',
    }),
  })
  .openapi('GatewayRequests');

export const gatewayRequestsPageSchema = z
  .strictObject({ data: z.array(gatewayRequestsSchema), meta: pageMetaSchema })
  .openapi('GatewayRequestsPage');
export type GatewayRequestsPage = z.output<typeof gatewayRequestsPageSchema>;
