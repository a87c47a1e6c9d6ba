import { z } from '@hono/zod-openapi';
import { currencyCodeSchema, MAX_PHASES, phaseSchema, rateCardSchema } from '../../catalog/product-catalog/index.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  isoDurationSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { parseDuration } from '../../platform/period/index.ts';

/** One request edits so much; a phase has no more rate cards than some hundreds. */
const MAX_CUSTOMIZATIONS = 100;
/** More of one add-on than anybody sells; its fee times this is still an amount of money. */
const MAX_ADDON_QUANTITY = 1_000_000_000;

const timingSchema = z
  .union([z.enum(['immediate', 'next_billing_cycle']), dateTimeSchema])
  .openapi('BillingSubscriptionEditTiming', {
    description: 'Now, at the end of the billing period, or at an instant.',
  });

const customerReference = z
  .strictObject({ id: ulidSchema.optional(), key: z.string().min(1).max(256).optional() })
  .openapi({ description: 'By id or by key.' });
const planReference = z
  .strictObject({ id: ulidSchema.optional(), key: resourceKeySchema.optional(), version: z.int().min(1).optional() })
  .openapi({ description: 'By id, or by key: the version in force unless one is named.' });

const customPlanSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    currency: currencyCodeSchema,
    billing_cadence: isoDurationSchema,
    pro_rating_enabled: z.boolean().default(true),
    phases: z.array(phaseSchema).min(1).max(MAX_PHASES),
  })
  .openapi('BillingSubscriptionCustomPlan', { description: 'A plan for this subscription alone.' });
export type CustomPlanInput = z.output<typeof customPlanSchema>;

const settlementMode = z.enum(['credit_then_invoice', 'credit_only']);
const costBasisMode = z.enum(['dynamic', 'pinned']);

const createFields = {
  labels: labelsSchema.optional(),
  settlement_mode: settlementMode.optional(),
  customer: customerReference,
  plan: planReference.optional(),
  custom_plan: customPlanSchema.optional(),
  starting_phase: resourceKeySchema.optional().openapi({ description: 'Phases before it get no time.' }),
  billing_anchor: dateTimeSchema.optional().openapi({ description: 'Default: the start of the subscription.' }),
  cost_basis_mode: costBasisMode.default('dynamic'),
};

export const createSubscriptionSchema = z
  .strictObject({ ...createFields, timing: timingSchema.default('immediate') })
  .openapi('BillingSubscriptionCreate');
export type CreateSubscription = z.output<typeof createSubscriptionSchema>;

export const changeSubscriptionSchema = z
  .strictObject({ ...createFields, timing: timingSchema })
  .openapi('BillingSubscriptionChange');

export const cancelSubscriptionSchema = z
  .strictObject({ timing: timingSchema.default('immediate') })
  .openapi('BillingSubscriptionCancel');

export const migrateSubscriptionSchema = z
  .strictObject({
    timing: timingSchema.default('immediate'),
    target_version: z.int().min(1).optional().openapi({ description: 'Default: the version in force.' }),
    starting_phase: resourceKeySchema.optional(),
    billing_anchor: dateTimeSchema.optional(),
  })
  .openapi('BillingSubscriptionMigrate');
export type MigrateSubscription = z.output<typeof migrateSubscriptionSchema>;

/** Shrinking is stretching by less than nothing. */
const signedDurationSchema = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, {
    error: 'must be an ISO 8601 duration of whole numbers, such as "P1M" or "-P1W"',
    params: { rule: 'matches_regex' },
  })
  .openapi({ example: 'P1M' });

const customizationSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('add_item'), phase_key: resourceKeySchema, rate_card: rateCardSchema }),
    z.strictObject({ type: z.literal('remove_item'), phase_key: resourceKeySchema, item_key: resourceKeySchema }),
    z.strictObject({
      type: z.literal('add_phase'),
      phase: z.strictObject({
        key: resourceKeySchema,
        name: nameSchema,
        description: descriptionSchema.optional(),
        start_after: isoDurationSchema.nullish().openapi({ description: 'From the start of the subscription.' }),
        duration: isoDurationSchema.optional(),
      }),
    }),
    z.strictObject({
      type: z.literal('remove_phase'),
      phase_key: resourceKeySchema,
      shift: z.enum(['next', 'prev']).openapi({
        description: '"next" has the phases after it come earlier, "prev" has the phase before it last longer.',
      }),
    }),
    z.strictObject({
      type: z.literal('stretch_phase'),
      phase_key: resourceKeySchema,
      extend_by: signedDurationSchema,
    }),
    z.strictObject({ type: z.literal('unschedule_edit') }),
  ])
  .openapi('BillingSubscriptionCustomization');
export type CustomizationInput = z.output<typeof customizationSchema>;

export const editSubscriptionSchema = z
  .strictObject({
    customizations: z.array(customizationSchema).min(1).max(MAX_CUSTOMIZATIONS),
    timing: timingSchema.default('immediate'),
  })
  .openapi('BillingSubscriptionEdit');
export type EditSubscription = z.output<typeof editSubscriptionSchema>;

export const createSubscriptionAddonSchema = z
  .strictObject({
    name: nameSchema.optional(),
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    addon: z.strictObject({ id: ulidSchema }).openapi('AddonReference'),
    quantity: z.int().min(1).max(MAX_ADDON_QUANTITY),
    timing: timingSchema,
  })
  .openapi('CreateSubscriptionAddonRequest');
export type CreateSubscriptionAddon = z.output<typeof createSubscriptionAddonSchema>;

export const updateSubscriptionAddonSchema = z
  .strictObject({
    quantity: z.int().min(0).max(MAX_ADDON_QUANTITY).openapi({ description: '0 gives the add-on up.' }),
    timing: timingSchema,
  })
  .openapi('UpdateSubscriptionAddonRequest');
export type UpdateSubscriptionAddon = z.output<typeof updateSubscriptionAddonSchema>;

const period = z.strictObject({ from: dateTimeSchema, to: dateTimeSchema }).openapi('ClosedPeriod');

const phaseBodySchema = z
  .strictObject({
    ...resourceFields,
    key: resourceKeySchema,
    active_from: dateTimeSchema,
    active_to: dateTimeSchema.optional(),
    items: z.array(
      z
        .strictObject({
          id: ulidSchema,
          active_from: dateTimeSchema,
          active_to: dateTimeSchema.optional(),
          rate_card: rateCardSchema,
        })
        .openapi('BillingSubscriptionItem'),
    ),
  })
  .openapi('BillingSubscriptionPhase');

export const subscriptionSchema = z
  .strictObject({
    ...resourceFields,
    active_from: dateTimeSchema,
    active_to: dateTimeSchema.optional(),
    customer_id: ulidSchema,
    plan_id: ulidSchema.optional(),
    plan: z.strictObject({ id: ulidSchema, key: resourceKeySchema, version: z.int().min(1) }).optional(),
    invoice_currency: z.string(),
    cost_basis_mode: costBasisMode,
    cost_basis_pins: z.array(z.unknown()),
    billing_cadence: isoDurationSchema,
    pro_rating_config: z
      .strictObject({ enabled: z.boolean(), mode: z.enum(['no_proration', 'prorate_prices']) })
      .optional(),
    billing_anchor: dateTimeSchema,
    status: z.enum(['active', 'inactive', 'canceled', 'scheduled']),
    settlement_mode: settlementMode.optional(),
    current_period: period.optional(),
    phases: z.array(phaseBodySchema),
  })
  .openapi('BillingSubscription');

export const subscriptionPageSchema = z
  .strictObject({ data: z.array(subscriptionSchema), meta: pageMetaSchema })
  .openapi('SubscriptionPagePaginatedResponse');

export const subscriptionChangeSchema = z
  .strictObject({ current: subscriptionSchema, next: subscriptionSchema })
  .openapi('BillingSubscriptionChangeResponse');

export const subscriptionAddonSchema = z
  .strictObject({
    ...resourceFields,
    addon: z.strictObject({ id: ulidSchema }),
    quantity: z.int().min(1),
    quantity_at: dateTimeSchema,
    active_from: dateTimeSchema,
    active_to: dateTimeSchema.optional(),
    timeline: z.array(
      z.strictObject({
        active_from: dateTimeSchema,
        active_to: dateTimeSchema.optional(),
        quantity: z.int().min(0),
      }),
    ),
    rate_cards: z.array(
      z.strictObject({ rate_card: rateCardSchema, affected_subscription_item_ids: z.array(ulidSchema) }),
    ),
  })
  .openapi('SubscriptionAddon');

export const subscriptionAddonPageSchema = z
  .strictObject({ data: z.array(subscriptionAddonSchema), meta: pageMetaSchema })
  .openapi('SubscriptionAddonPagePaginatedResponse');

export type SubscriptionSortField = 'active_from' | 'id' | 'active_to';
export type SubscriptionFilterField = 'id' | 'customer_id' | 'status' | 'plan_id' | 'plan_key';
export type SubscriptionAddonSortField = 'created_at' | 'id' | 'updated_at';
