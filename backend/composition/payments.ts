import { externalInvoicingRoutes, legacyExternalInvoicingRoutes } from '../payments/external/index.ts';
import { followInvoice, invoicePaymentRoutes } from '../payments/invoice-payments/index.ts';
import { createOutgoing } from '../payments/outgoing/index.ts';
import { createStripe, describeFailure, toAppError } from '../payments/stripe/index.ts';
import type { Router } from '../platform/http/router.ts';
import { createSecretBox } from '../platform/secrets.ts';
import type { Billing } from './billing.ts';
import type { CustomersArea } from './customers.ts';
import type { Parts } from './parts.ts';

const STRIPE = { apiUrl: 'https://api.stripe.com', callsPerSecond: 20 };

/** Through what invoices are paid. */
export function createPayments(parts: Parts, { findCustomer }: CustomersArea, billing: Billing) {
  const { scope, signIn, secretsKeys = [] } = parts;
  const { deps, apps, customerBilling, taxCodes } = billing;
  const stripe = createStripe(scope, {
    settings: { ...STRIPE, ...parts.stripe },
    box: createSecretBox(secretsKeys),
    canSeal: secretsKeys.length > 0,
    publicUrl: signIn?.publicUrl,
    apps,
    customerBilling,
    findCustomer,
    findTaxCodes: taxCodes.findByIds,
    onTestClocks: deps.onTestClocks,
  });
  const outgoing = createOutgoing(scope, {
    invoices: deps,
    apps: { stripe: stripe.app },
    findApp: apps.find,
    pausedApps: apps.unauthorized,
    pause: apps.markUnauthorized,
    describe: describeFailure,
    translate: toAppError,
  });
  return {
    outgoing,
    stripe,
    onInvoice: [followInvoice, outgoing.onInvoice],
    routes: (router: Router) => {
      invoicePaymentRoutes(router, scope, deps);
      externalInvoicingRoutes(router, scope, deps);
      stripe.routes(router);
    },
    legacyRoutes: (router: Router) => legacyExternalInvoicingRoutes(router, scope, deps),
  };
}

export type Payments = ReturnType<typeof createPayments>;
