import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema } from '../../platform/http/schemas.ts';

const rangeSchema = z.strictObject({ first: z.int(), last: z.int() });

const NAME = { error: 'must have 1 to 128 letters, digits or . : @ _ -' };
const nameSchema = z.string().regex(/^[\w.:@-]{1,128}$/, NAME);
const countSchema = z.int().min(0);

/** What a collector says of its source. */
const saidSchema = z.strictObject({
  version: z.string().min(1).max(64).openapi({ description: 'Of the collector.' }),
  lag_seconds: countSchema.optional().openapi({ description: 'Up to so long ago all of the source is taken.' }),
  waiting: countSchema.openapi({ description: 'Events that wait on its disk.' }),
  open: countSchema.optional().openapi({ description: 'Slices of time or objects that the source has not given yet.' }),
  error: z
    .strictObject({ message: z.string().min(1).max(500), at: dateTimeSchema })
    .optional()
    .openapi({ description: 'The last error, of reading or of sending.' }),
});

export const sourceReportSchema = saidSchema
  .extend({
    node: nameSchema.openapi({ description: 'As in the header Metering-Node of what it delivers.' }),
    process: nameSchema.openapi({ description: 'As in the header Metering-Process.' }),
    kind: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be a word such as aws_s3')
      .openapi({ description: 'Of the source.' }),
    taken: countSchema.optional().openapi({ description: 'Events that it has taken from the source.' }),
  })
  .openapi('SourceReport');
export type SourceReport = z.output<typeof sourceReportSchema>;

const saidOfSourceSchema = saidSchema.extend({ reported_at: dateTimeSchema }).openapi('SaidOfSource');
export type SaidOfSource = z.output<typeof saidOfSourceSchema>;

const gatewayProcessSchema = z
  .strictObject({
    node: z.string(),
    kind: z.string().openapi({ description: '`gateway`, or what the collector reads, such as `aws_s3`.' }),
    process: z
      .string()
      .openapi({ description: 'One series of numbers, which begin at 1: of a gateway, one run of one plugin server.' }),
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
    report: saidOfSourceSchema.optional().openapi({ description: 'What a collector said of its source last.' }),
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
