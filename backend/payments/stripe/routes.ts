import { z } from '@hono/zod-openapi';
import { readBody } from '../../platform/http/body-reader.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import type { StripeSessions } from './sessions.ts';
import {
  checkoutRequestSchema,
  checkoutSessionSchema,
  portalRequestSchema,
  portalSessionSchema,
} from './sessions-schema.ts';
import type { StripeWebhook } from './webhook.ts';

/** Stripe's own bound of an event lies far below. */
const MAX_EVENT_BYTES = 524_288;

/** Registers Stripe's pages for customers, and where Stripe tells what has happened. */
export function stripeRoutes(router: Router, sessions: StripeSessions, webhook: StripeWebhook): void {
  sessionRoutes(router, sessions);
  router.endpoint(
    {
      method: 'post',
      path: '/apps/{appId}/stripe/webhook',
      operationId: 'receive-stripe-webhook',
      tag: 'Payments',
      summary: 'Receive an event of Stripe',
      description:
        'Called by Stripe, which signs each event. Each is taken once; types that mean nothing here are taken, too.',
      access: 'public',
      params: z.object({ appId: ulidSchema }),
      rawBody: { 'application/json': z.object({ id: z.string(), type: z.string() }).openapi('StripeEvent') },
      responses: {
        200: jsonResponse('Taken.', z.strictObject({ received: z.boolean() }).openapi('StripeEventReceived')),
      },
    },
    async ({ c, answer, params }) => {
      const raw = Buffer.from(await readBody(c, MAX_EVENT_BYTES)).toString('utf8');
      await webhook.take(params.appId, raw, c.req.header('stripe-signature'));
      return answer({ received: true });
    },
  );
}

function sessionRoutes(router: Router, sessions: StripeSessions): void {
  const PATH = '/customers/{customerId}/billing/stripe';
  const common = {
    method: 'post',
    tag: 'Customers',
    access: 'write',
    // The answer's address opens the session: it is in no log.
    changes: { reads: '/customers/{customerId}/billing' },
    params: z.object({ customerId: ulidSchema }),
  } as const;
  router.endpoint(
    {
      ...common,
      path: `${PATH}/checkout-sessions`,
      operationId: 'create-customer-stripe-checkout-session',
      summary: 'Create Stripe Checkout Session',
      description:
        "Stripe's page on which a customer sets up how it pays; nothing is charged. A customer that is not linked to one of " +
        'Stripe gets one. What was set up becomes the default payment method.',
      body: checkoutRequestSchema,
      responses: { 201: jsonResponse('The session.', checkoutSessionSchema) },
    },
    async ({ answer, params, body }) => answer(await sessions.checkout(params.customerId, body.stripe_options), 201),
  );
  router.endpoint(
    {
      ...common,
      path: `${PATH}/portal-sessions`,
      operationId: 'create-customer-stripe-portal-session',
      summary: 'Create Stripe customer portal session',
      description: "Stripe's page on which a linked customer looks after its payment methods, address and invoices.",
      body: portalRequestSchema,
      responses: { 201: jsonResponse('The session.', portalSessionSchema) },
    },
    async ({ answer, params, body }) => answer(await sessions.portal(params.customerId, body.stripe_options), 201),
  );
}
