import { z } from '@hono/zod-openapi';
import { dateTimeSchema, exactNumberSchema, numericSchema, ulidSchema } from '../../../platform/http/schemas.ts';
import type { RuleTypeDefinition } from './rule-type.ts';

const MAX_FEATURES = 100;
const MAX_THRESHOLDS = 10;

/** How usage and balance can be held against a value. */
const THRESHOLD_TYPES = ['balance_value', 'usage_percentage', 'usage_value'] as const;

const distinct = <Item>(textOf: (item: Item) => string, what: string) =>
  [
    (items: readonly Item[]) => new Set(items.map(textOf)).size === items.length,
    { error: `must name each ${what} once` },
  ] as const;

const features = z
  .array(z.strictObject({ id: ulidSchema }))
  .max(MAX_FEATURES)
  .refine(...distinct<{ id: string }>(({ id }) => id, 'feature'))
  .optional()
  .openapi({ description: 'Of all features where it is left out.' });

const thresholdSchema = z
  .strictObject({ type: z.enum(THRESHOLD_TYPES), value: exactNumberSchema.openapi({ type: 'number', minimum: 0 }) })
  .refine(({ value }) => !value.startsWith('-'), { path: ['value'], error: 'must not be negative' })
  .refine(({ type, value }) => type === 'balance_value' || value !== '0', {
    path: ['value'],
    error: 'must be more than 0',
  })
  .openapi('NotificationThreshold');
export type Threshold = z.output<typeof thresholdSchema>;

const thresholds = z
  .array(thresholdSchema)
  .min(1)
  .max(MAX_THRESHOLDS)
  .refine(...distinct<Threshold>(({ type, value }) => `${type} ${value}`, 'threshold'));

const entitlementData = {
  entitlement: z.looseObject({ id: ulidSchema, type: z.literal('metered') }),
  feature: z.strictObject({ id: ulidSchema, key: z.string() }),
  subject: z.strictObject({ key: z.string() }),
  customer: z.strictObject({ id: ulidSchema, key: z.string(), name: z.string() }),
  value: z.strictObject({
    has_access: z.boolean(),
    balance: numericSchema,
    usage: numericSchema,
    overage: numericSchema,
    total_available_grant_amount: numericSchema,
  }),
  context: z.strictObject({ period: z.strictObject({ from: dateTimeSchema, to: dateTimeSchema }) }),
};

const FEATURE = { id: '01JD0000000000000000000020', key: 'api_calls' };
const SAMPLE = {
  entitlement: { id: '01JD0000000000000000000021', type: 'metered' },
  feature: FEATURE,
  subject: { key: 'example' },
  customer: { id: '01JD0000000000000000000011', key: 'example', name: 'Example customer' },
  value: { has_access: true, balance: '200', usage: '800', overage: '0', total_available_grant_amount: '1000' },
  context: { period: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' } },
};

export const balanceThreshold: RuleTypeDefinition = {
  description:
    'Usage or balance has reached a threshold. Each is told once in a usage period, and again when usage has been below it in between: after a grant, ' +
    'a reset, a correction, another limit.',
  fields: { features, thresholds },
  maxRules: 20_000,
  data: z
    .strictObject({
      ...entitlementData,
      threshold: z.strictObject({ type: z.enum(THRESHOLD_TYPES), value: z.number() }),
    })
    .openapi('EntitlementsBalanceThresholdEventData'),
  sample: { ...SAMPLE, threshold: { type: 'usage_percentage', value: 80 } },
};

export const entitlementReset: RuleTypeDefinition = {
  description: 'Usage of an entitlement begins anew: a usage period has begun, or somebody has reset it.',
  fields: { features },
  maxRules: 20_000,
  data: z.strictObject(entitlementData).openapi('EntitlementsResetEventData'),
  sample: SAMPLE,
};
