import { z } from '@hono/zod-openapi';
import { currencyCodeSchema, rateCardSchema } from '../../catalog/product-catalog/index.ts';
import {
  dateTimeSchema,
  nonNegativeNumericSchema,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';

const usageSchema = z
  .strictObject({
    customer: z.strictObject({ id: ulidSchema }),
    from: dateTimeSchema,
    to: dateTimeSchema.openapi({ description: 'Exclusive.' }),
  })
  .openapi({
    description: "What the customer used in the past, billed in periods of the card's billing cadence from `from` on.",
  });

/** Rate cards of one phase that a request gives quantities for; a plan has no more. */
const MAX_QUANTITIES = 500;

export const estimateRequestSchema = z
  .strictObject({
    rate_card: rateCardSchema.optional().openapi({ description: 'Any rate card; the other way is `plan`.' }),
    currency: currencyCodeSchema.optional().openapi({ description: 'Of `rate_card`; a plan has its own.' }),
    quantity: nonNegativeNumericSchema
      .optional()
      .openapi({ description: "Of one billing period, in the meter's unit, for `rate_card`. Flat prices need none." }),
    plan: z
      .strictObject({
        id: ulidSchema.openapi({ description: 'Any version, drafts too.' }),
        phase: resourceKeySchema.optional().openapi({ description: 'Key of a phase; left out: the last one.' }),
      })
      .optional()
      .openapi({ description: 'All rate cards of one phase of a plan.' }),
    quantities: z
      .record(resourceKeySchema, nonNegativeNumericSchema)
      .refine((quantities) => Object.keys(quantities).length <= MAX_QUANTITIES, {
        error: `must have at most ${MAX_QUANTITIES} quantities`,
      })
      .optional()
      .openapi({ description: 'By key of the rate card, for `plan`; 0 for those that are left out.' }),
    usage: usageSchema.optional(),
  })
  .superRefine((request, context) => {
    const given = (field: keyof typeof request) => request[field] !== undefined;
    const issue = (field: string, message: string, rule = 'invalid') =>
      context.addIssue({ code: 'custom', path: [field], message, params: { rule } });
    if (!given('rate_card') && !given('plan')) issue('rate_card', 'or plan is required', 'required');
    if (given('rate_card') && given('plan')) issue('plan', 'and rate_card exclude each other');
    if (given('rate_card') && !given('currency')) issue('currency', 'is required for a rate_card', 'required');
    for (const field of ['currency', 'quantity'] as const) {
      if (given('plan') && given(field)) issue(field, 'is for a rate_card, not for a plan');
    }
    if (given('rate_card') && given('quantities')) issue('quantities', 'is for a plan, not for a rate_card');
    for (const field of ['quantity', 'quantities'] as const) {
      if (given(field) && given('usage')) issue(field, 'and usage exclude each other');
    }
  })
  .openapi('CostEstimateRequest');
export type EstimateRequest = z.output<typeof estimateRequestSchema>;

const totalsFields = {
  amount: z.string(),
  charges_total: z.string(),
  discounts_total: z.string(),
  credits_total: z.string(),
  taxes_total: z.string(),
  taxes_inclusive_total: z.string(),
  taxes_exclusive_total: z.string(),
  total: z.string(),
};
const totalsSchema = z.strictObject(totalsFields).openapi('CostEstimateTotals');

const explanationSchema = z.array(
  z
    .strictObject({
      rule: z.string(),
      text: z.string().openapi({ example: 'Unit price of tier 1 (units up to 1000): 1000 × 0.3 USD = 300 USD.' }),
      result: z.string().nullable(),
    })
    .openapi('ExplanationStep'),
);

const periodSchema = z.strictObject({ from: dateTimeSchema, to: dateTimeSchema });

const detailedLineSchema = z.strictObject({
  name: z.string(),
  child_unique_reference_id: z.string(),
  category: z.enum(['regular', 'commitment']),
  payment_term: z.enum(['in_advance', 'in_arrears']),
  quantity: z.string(),
  unit_price: z.string(),
  discounts: z.array(z.strictObject({ reason: z.string(), amount: z.string() })),
  totals: totalsSchema,
  explanation: explanationSchema.openapi({ description: 'How the total came about, step by step.' }),
});

export const estimateSchema = z
  .strictObject({
    totals: z
      .array(z.strictObject({ currency: z.string(), ...totalsFields }))
      .openapi({ description: 'The sum of the lines, for each currency.' }),
    lines: z.array(
      z.strictObject({
        rate_card: z.strictObject({ key: z.string(), name: z.string() }),
        feature: z.strictObject({ id: ulidSchema, key: z.string() }).optional(),
        currency: z.string(),
        service_period: periodSchema.optional(),
        usage_quantity_detail: z.strictObject({
          raw_quantity: z.string(),
          invoiced_quantity: z.string(),
          display_unit: z.string().optional(),
        }),
        free_units: z.string().optional(),
        totals: totalsSchema,
        detailed_lines: z.array(detailedLineSchema),
        explanation: explanationSchema.openapi({
          description: 'How the billed quantity came about, and why there is no detailed line when there is none.',
        }),
      }),
    ),
  })
  .openapi('CostEstimate');
export type Estimate = z.output<typeof estimateSchema>;
export type EstimateLine = Estimate['lines'][number];
