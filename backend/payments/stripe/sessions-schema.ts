import { z } from '@hono/zod-openapi';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';

/** Stripe's own bounds, where the contract has none. */
const text = z.string().max(500);
const url = z.string().max(5000);
const MAX_METADATA = 50;
const MAX_METHOD_TYPES = 50;
const customText = z.strictObject({ message: z.string().max(1200).optional() }).optional();
const behavior = z.enum(['auto', 'never']).default('never');
const MODES = ['setup'] as const;

const metadataSchema = z
  .record(z.string().max(40), text)
  .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA, {
    error: `must have at most ${MAX_METADATA} keys`,
  })
  .refine((metadata) => !Object.keys(metadata).some((key) => key.startsWith('om_')), {
    error: 'keys that begin with om_ are set by this server',
  });

const optionsSchema = z
  .strictObject({
    billing_address_collection: z.enum(['auto', 'required']).default('auto'),
    cancel_url: url.optional(),
    client_reference_id: z.string().max(200).optional(),
    customer_update: z.strictObject({ address: behavior, name: behavior, shipping: behavior }).optional(),
    consent_collection: z
      .strictObject({
        payment_method_reuse_agreement: z.strictObject({ position: z.enum(['auto', 'hidden']).optional() }).optional(),
        promotions: z.enum(['auto', 'none']).optional(),
        terms_of_service: z.enum(['none', 'required']).optional(),
      })
      .optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be a currency of ISO 4217, such as "USD"')
      .optional(),
    custom_text: z
      .strictObject({
        after_submit: customText,
        shipping_address: customText,
        submit: customText,
        terms_of_service_acceptance: customText,
      })
      .optional(),
    expires_at: z.int().min(0).optional(),
    locale: z.string().max(35).optional(),
    metadata: metadataSchema.optional(),
    return_url: url.optional(),
    success_url: url.optional(),
    ui_mode: z.enum(['embedded', 'hosted']).default('hosted'),
    payment_method_types: z.array(z.string().max(100)).max(MAX_METHOD_TYPES).optional(),
    redirect_on_completion: z.enum(['always', 'if_required', 'never']).optional(),
    tax_id_collection: z
      .strictObject({
        enabled: z.boolean().default(false),
        required: z.enum(['if_supported', 'never']).default('never'),
      })
      .optional(),
  })
  .superRefine(({ ui_mode, success_url, cancel_url, return_url, redirect_on_completion }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, params: { rule: 'required' } });
    if (ui_mode === 'hosted' && success_url === undefined) refuse('success_url', 'is needed where ui_mode is hosted');
    if (ui_mode !== 'embedded') return;
    if (success_url !== undefined) refuse('success_url', 'is not allowed where ui_mode is embedded');
    if (cancel_url !== undefined) refuse('cancel_url', 'is not allowed where ui_mode is embedded');
    if (return_url === undefined && redirect_on_completion !== 'never') {
      refuse('return_url', 'is needed where ui_mode is embedded, unless redirect_on_completion is never');
    }
  });
export type CheckoutOptions = z.output<typeof optionsSchema>;

export const checkoutRequestSchema = z
  .strictObject({ stripe_options: optionsSchema })
  .openapi('BillingCustomerStripeCreateCheckoutSessionRequest');

export const checkoutSessionSchema = z
  .strictObject({
    customer_id: ulidSchema,
    stripe_customer_id: z.string(),
    session_id: z.string(),
    setup_intent_id: z.string(),
    client_secret: z.string().optional(),
    client_reference_id: z.string().optional(),
    customer_email: z.string().optional(),
    currency: z.string().optional(),
    created_at: dateTimeSchema,
    expires_at: dateTimeSchema.optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    status: z.string().optional(),
    url: z.string().optional(),
    mode: z.enum(MODES),
    cancel_url: z.string().optional(),
    success_url: z.string().optional(),
    return_url: z.string().optional(),
  })
  .openapi('BillingAppStripeCreateCheckoutSessionResult');
export type CheckoutSession = z.input<typeof checkoutSessionSchema>;

export const portalRequestSchema = z
  .strictObject({
    stripe_options: z.strictObject({
      configuration_id: z.string().max(256).optional(),
      locale: z.string().max(35).optional(),
      return_url: url.optional(),
    }),
  })
  .openapi('BillingCustomerStripeCreateCustomerPortalSessionRequest');
export type PortalOptions = z.output<typeof portalRequestSchema>['stripe_options'];

export const portalSessionSchema = z
  .strictObject({
    id: z.string(),
    stripe_customer_id: z.string(),
    configuration_id: z.string(),
    livemode: z.boolean(),
    created_at: dateTimeSchema,
    return_url: z.string(),
    locale: z.string(),
    url: z.string(),
  })
  .openapi('BillingAppStripeCreateCustomerPortalSessionResult');
export type PortalSession = z.input<typeof portalSessionSchema>;
