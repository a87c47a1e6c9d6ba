import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { dateTimeSchema, labelsSchema, nameSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { RULE_TYPE_DEFINITIONS, RULE_TYPES, type RuleType } from './rule-types/index.ts';

export type RuleFilterField = 'id' | 'name' | 'type' | 'disabled' | 'created_at' | 'updated_at';
export type RuleSortField = 'id' | 'type' | 'created_at' | 'updated_at';

const MAX_CHANNELS = 5;

const channelsSchema = z
  .array(z.strictObject({ id: ulidSchema }))
  .min(1)
  .max(MAX_CHANNELS)
  .refine((channels) => new Set(channels.map(({ id }) => id)).size === channels.length, {
    error: 'must name each channel once',
  });

/** "invoice.created" → "InvoiceCreated". */
function componentName(type: RuleType): string {
  return type
    .split(/[._]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

const common = {
  name: nameSchema,
  disabled: z.boolean().optional(),
  channels: channelsSchema,
  labels: labelsSchema.optional(),
};

/** A form for each type, told apart by the type. */
function forms<Form extends z.ZodObject>(form: (type: RuleType) => Form): [Form, ...Form[]] {
  return RULE_TYPES.map(form) as [Form, ...Form[]];
}

const requestOf = (type: RuleType) =>
  z
    .strictObject({ type: z.literal(type), ...common, ...RULE_TYPE_DEFINITIONS[type].fields })
    .openapi(`NotificationRule${componentName(type)}Request`);

export const ruleRequestSchema = z.discriminatedUnion('type', forms(requestOf)).openapi('NotificationRuleRequest');
export type RuleRequest = z.output<typeof ruleRequestSchema>;

const answerOf = (type: RuleType) =>
  z
    .strictObject({
      id: ulidSchema,
      type: z.literal(type),
      ...common,
      disabled: z.boolean(),
      ...RULE_TYPE_DEFINITIONS[type].fields,
      created_at: dateTimeSchema,
      updated_at: dateTimeSchema,
      deleted_at: dateTimeSchema.optional(),
    })
    .openapi(`NotificationRule${componentName(type)}`);

export const ruleSchema = z.discriminatedUnion('type', forms(answerOf)).openapi('NotificationRule');
export type RuleBody = z.input<typeof ruleSchema>;

export const rulePageSchema = z
  .strictObject({ data: z.array(ruleSchema), meta: pageMetaSchema })
  .openapi('NotificationRulePagePaginatedResponse');
export type RulePage = z.input<typeof rulePageSchema>;

/** What is sent: a CloudEvent in JSON, with `timestamp` beside `time`. */
const payloadOf = (type: RuleType) =>
  z
    .strictObject({
      specversion: z.literal('1.0'),
      id: ulidSchema,
      source: z.string(),
      type: z.literal(type),
      subject: z.string().optional(),
      time: dateTimeSchema,
      timestamp: dateTimeSchema,
      datacontenttype: z.literal('application/json'),
      data: RULE_TYPE_DEFINITIONS[type].data,
    })
    .openapi(`Notification${componentName(type)}Payload`);

const payloads = forms(payloadOf);
const payloadSchema = z.discriminatedUnion('type', payloads).openapi('NotificationPayload');
export const PAYLOAD_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map(
  RULE_TYPES.map((type, index) => [type, payloads[index] ?? payloadSchema]),
);

export const eventTypesSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        type: z.enum(RULE_TYPES),
        description: z.string(),
        /** JSON Schema, draft 2020-12. */
        schema: z.record(z.string(), z.unknown()),
        example: payloadSchema,
      }),
    ),
  })
  .openapi('NotificationEventTypes');
export type EventTypes = z.input<typeof eventTypesSchema>;
