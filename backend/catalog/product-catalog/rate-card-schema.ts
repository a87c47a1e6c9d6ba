import { z } from '@hono/zod-openapi';
import type { BrokenRule } from '../../platform/errors.ts';
import {
  descriptionSchema,
  exactNumberSchema,
  isoDurationSchema,
  labelsSchema,
  nameSchema,
  numericSchema,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { chargesUsage, priceSchema } from '../rating/index.ts';

/**
 * Bounds that the contract leaves open. A plan has some dozens of cards; these are far beyond and keep a plan small enough
 * to be read, checked and stored at once.
 */
const MAX_RATE_CARDS = 500;
export const MAX_PHASES = 100;
const MAX_DISPLAY_UNIT_LENGTH = 64;
/** All rate cards of a plan or add-on as JSON: some thousands of cards. Lists of versions are answered from memory. */
const MAX_CARDS_BYTES = 1_048_576;
/** JSON text of a static entitlement's configuration: it travels with every access answer. */
const MAX_CONFIG_BYTES = 65_536;
/** Decimal places of converted quantities; rating keeps no more. */
const MAX_PRECISION = 50;

export const currencyCodeSchema = z
  .string()
  .regex(
    /^[A-Z]{3}$|^.{4,24}$/u,
    'must be three capital letters (ISO 4217), or the 4 to 24 characters of a custom code',
  )
  .openapi('BillingCurrencyCode', { example: 'USD' });

const unitConfigSchema = z
  .strictObject({
    operation: z.enum(['divide', 'multiply']),
    conversion_factor: numericSchema,
    rounding: z.enum(['ceiling', 'floor', 'half_up', 'none']).default('none'),
    precision: z.int().min(0).max(MAX_PRECISION).default(0),
    display_unit: z.string().max(MAX_DISPLAY_UNIT_LENGTH).optional(),
  })
  .openapi('BillingUnitConfig', { description: 'How metered quantities become billing units.' });

const commitmentsSchema = z
  .strictObject({ minimum_amount: numericSchema.optional(), maximum_amount: numericSchema.optional() })
  .openapi('BillingSpendCommitments');

const discountsSchema = z
  .strictObject({
    percentage: exactNumberSchema.optional().openapi({ type: 'number', minimum: 0, maximum: 100 }),
    usage: numericSchema.optional().openapi({ description: 'Free units.' }),
  })
  .openapi('BillingRateCardDiscounts');

const taxConfigSchema = z
  .strictObject({
    behavior: z.enum(['inclusive', 'exclusive']).optional(),
    code: z.strictObject({ id: ulidSchema }).openapi('TaxCodeReference'),
  })
  .openapi('BillingRateCardTaxConfig');

const configSchema = z
  .unknown()
  .refine((config) => config !== undefined, { error: 'is required', params: { rule: 'required' } })
  .refine((config) => Buffer.byteLength(JSON.stringify(config) ?? '') <= MAX_CONFIG_BYTES, {
    error: `must have at most ${MAX_CONFIG_BYTES} bytes as JSON`,
  });

const entitlementSchema = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        type: z.literal('metered'),
        is_soft_limit: z.boolean().default(false),
        limit: exactNumberSchema
          .refine((limit) => !limit.startsWith('-'), {
            error: 'must be at least 0',
            params: { rule: 'min', minimum: 0 } satisfies BrokenRule,
          })
          .optional()
          .openapi({ type: 'number', minimum: 0 }),
        usage_period: isoDurationSchema.optional().openapi({ description: "Default: the card's billing cadence." }),
      })
      .openapi('BillingRateCardMeteredEntitlement'),
    z.strictObject({ type: z.literal('static'), config: configSchema }).openapi('BillingRateCardStaticEntitlement'),
    z.strictObject({ type: z.literal('boolean') }).openapi('BillingRateCardBooleanEntitlement'),
  ])
  .openapi('BillingRateCardEntitlement');

/** A rate card in the shape of the contract. */
export const rateCardSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    key: resourceKeySchema,
    feature: z.strictObject({ id: ulidSchema }).openapi('FeatureReference').optional(),
    currency: currencyCodeSchema.optional(),
    billing_cadence: isoDurationSchema
      .nullish()
      .openapi({ description: 'Missing for a one-time fee; only flat prices can be one.' }),
    price: priceSchema,
    unit_config: unitConfigSchema.optional(),
    payment_term: z.enum(['in_advance', 'in_arrears']).default('in_arrears').openapi('BillingPricePaymentTerm'),
    commitments: commitmentsSchema.optional(),
    discounts: discountsSchema.optional(),
    tax_config: taxConfigSchema.optional(),
    entitlement: entitlementSchema.optional(),
  })
  .superRefine((card, context) => {
    if (card.payment_term === 'in_advance' && chargesUsage(card.price)) {
      const message = 'usage is not known in advance: only flat prices can be in_advance';
      context.addIssue({ code: 'custom', path: ['payment_term'], message });
    }
    const { entitlement } = card;
    if (entitlement?.type === 'metered' && entitlement.usage_period === undefined && card.billing_cadence == null) {
      const message = 'is required where the rate card has no billing_cadence to take it from';
      context.addIssue({
        code: 'custom',
        path: ['entitlement', 'usage_period'],
        message,
        params: { rule: 'required' },
      });
    }
  })
  .openapi('BillingRateCard');
export type RateCardInput = z.output<typeof rateCardSchema>;

const FITS = { error: `must have at most ${MAX_CARDS_BYTES} bytes as JSON` };
const fits = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= MAX_CARDS_BYTES;

/** The rate cards of an add-on. */
export const rateCardsSchema = z.array(rateCardSchema).max(MAX_RATE_CARDS).refine(fits, FITS);

/** A phase in the shape of the contract. */
export const phaseSchema = z
  .strictObject({
    name: nameSchema,
    description: descriptionSchema.optional(),
    labels: labelsSchema.optional(),
    key: resourceKeySchema,
    duration: isoDurationSchema.nullish(),
    rate_cards: z.array(rateCardSchema).max(MAX_RATE_CARDS),
  })
  .openapi('BillingPlanPhase');
export type PhaseInput = z.output<typeof phaseSchema>;

/** The phases of a plan. */
export const phasesSchema = z.array(phaseSchema).min(1).max(MAX_PHASES).refine(fits, FITS);
