import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  isoDurationSchema,
  labelsSchema,
  nameSchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { headersProblem } from '../deliveries/index.ts';

export type ChannelFilterField = 'id' | 'name' | 'type' | 'disabled' | 'created_at' | 'updated_at';
export type ChannelSortField = 'id' | 'type' | 'created_at' | 'updated_at';

const MAX_URL_LENGTH = 2048;

const urlSchema = z
  .url({ protocol: /^https?$/, error: 'must be an https URL, or an http URL of a network that the operator allows' })
  .max(MAX_URL_LENGTH)
  .refine((text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''), {
    error: 'must not contain credentials: use custom_headers',
  });

/** Standard Webhooks: 24 to 64 random bytes as base64; OpenMeter takes 32 to 100 characters. */
const signingSecretSchema = z
  .string()
  .regex(/^(?:whsec_)?[a-zA-Z0-9+/=]{32,100}$/, 'must be 32 to 100 characters of base64, after whsec_ or without it')
  .openapi({ description: 'Signs the messages; made by the server where it is left out.' });

const customHeadersSchema = z.record(z.string(), z.string()).superRefine((headers, context) => {
  const found = headersProblem(headers);
  if (found === undefined) return;
  context.addIssue({ code: 'custom', path: found.name === undefined ? [] : [found.name], message: found.problem });
});

const writable = {
  type: z.literal('webhook'),
  name: nameSchema,
  url: urlSchema,
  disabled: z.boolean().optional(),
  custom_headers: customHeadersSchema.optional(),
  signing_secret: signingSecretSchema.optional(),
  ordered: z.boolean().optional().openapi({
    description: 'Whether a message waits until the one before it is through. One that fails holds up those behind it.',
  }),
  labels: labelsSchema.optional(),
};

export const createChannelSchema = z.strictObject(writable).openapi('NotificationChannelCreateRequest');
export type CreateChannel = z.output<typeof createChannelSchema>;
export const updateChannelSchema = z.strictObject(writable).openapi('NotificationChannelUpdateRequest');

const healthSchema = z
  .strictObject({
    consecutive_failures: z.int(),
    failing_since: dateTimeSchema.optional(),
    paused_until: dateTimeSchema.optional(),
    last_success_at: dateTimeSchema.optional(),
    last_failure_at: dateTimeSchema.optional(),
  })
  .openapi('NotificationChannelHealth');

export const channelSchema = z
  .strictObject({
    id: ulidSchema,
    type: z.literal('webhook'),
    name: z.string(),
    url: z.string(),
    disabled: z.boolean(),
    disabled_reason: z.string().optional().openapi({ description: 'Where the server itself has switched it off.' }),
    ordered: z.boolean(),
    custom_headers: z.record(z.string(), z.string()).optional().openapi({
      description: 'Told to who may change the channel; not in lists.',
    }),
    signing_secret: z.string().optional().openapi({ description: 'As custom_headers.' }),
    health: healthSchema,
    labels: labelsSchema.optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    deleted_at: dateTimeSchema.optional(),
  })
  .openapi('NotificationChannel');
export type ChannelBody = z.input<typeof channelSchema>;

export const channelPageSchema = z
  .strictObject({ data: z.array(channelSchema), meta: pageMetaSchema })
  .openapi('NotificationChannelPagePaginatedResponse');
export type ChannelPage = z.input<typeof channelPageSchema>;

export const rotateSecretSchema = z
  .strictObject({
    signing_secret: signingSecretSchema.optional(),
    overlap: isoDurationSchema.optional().openapi({
      description: 'How long the secret before signs as well, at most P7D; PT24H where it is left out.',
    }),
  })
  .openapi('NotificationChannelRotateSecretRequest');
export type RotateSecret = z.output<typeof rotateSecretSchema>;

export const testResultSchema = z
  .strictObject({
    success: z.boolean(),
    status_code: z.int().optional(),
    body: z.string().openapi({ description: 'The beginning of the answer, or why there is none.' }),
    duration_ms: z.int(),
  })
  .openapi('NotificationChannelTestResult');
export type TestResult = z.input<typeof testResultSchema>;
