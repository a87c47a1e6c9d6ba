import type { Rails } from '../billing/invoices/index.ts';
import { externalRail } from '../payments/external/index.ts';
import { sandboxRail } from '../payments/sandbox/index.ts';
import { stripeRail } from '../payments/stripe/index.ts';

/** The rail of each type of app: a new one is a folder in payments/ and a line here. */
export const RAILS: Rails = { sandbox: sandboxRail, external_invoicing: externalRail, stripe: stripeRail };
