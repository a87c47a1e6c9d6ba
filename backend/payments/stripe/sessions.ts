/** Sessions of Stripe's pages for a customer: one to set up how it pays, one to look after that. */
import type Stripe from 'stripe';
import type { CustomerBillingService, StripeData } from '../../billing/billing-profiles/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import { codedProblems } from '../../platform/coded-problems.ts';
import { defined } from '../../platform/defined.ts';
import { RequestProblem } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { AppRefused, AppUnauthorized, createLooseJournal, TryLater } from '../outgoing/index.ts';
import type { StripeAccounts } from './accounts.ts';
import { describeFailure, toAppError } from './client.ts';
import { customerThere } from './customers-there.ts';
import { answered } from './draft.ts';
import type { CheckoutOptions, CheckoutSession, PortalOptions, PortalSession } from './sessions-schema.ts';

export interface StripeSessions {
  /** @throws RequestProblem 404, 410, 503 @throws DomainProblem 400 */
  checkout(customerId: string, options: CheckoutOptions): Promise<CheckoutSession>;
  /** @throws as above */
  portal(customerId: string, options: PortalOptions): Promise<PortalSession>;
}

export interface SessionsDeps {
  accounts: StripeAccounts;
  customerBilling: CustomerBillingService;
  /** @throws RequestProblem 404 */
  findCustomer(id: string, scope: Scope): Promise<Customer>;
  /** Whether the app is Stripe's. */
  isStripe(appId: string): Promise<boolean>;
}

const sessionProblem = codedProblems({
  stripe_not_billed: { field: undefined, message: "the customer's billing profile is not of an app of Stripe" },
  stripe_customer_missing: { field: undefined, message: 'the customer is not linked to one of Stripe' },
  stripe_refused: { field: 'stripe_options', message: 'Stripe does not take it' },
});

export function createStripeSessions(scope: Scope, deps: SessionsDeps): StripeSessions {
  return {
    checkout: async (customerId, options) => {
      const { appId, customer, data } = await billed(scope, deps, customerId);
      return asked(async () => {
        const linked = data?.customer_id ?? (await createCustomer(scope, deps, { appId, customer, data }));
        const client = await deps.accounts.clientOf(appId);
        await customerThere(client, linked);
        const request = toRequest(options, { appId, customer, linked });
        const session = await client.checkout.sessions.create(request);
        return toSession(session, customer.id, linked);
      });
    },
    portal: async (customerId, { configuration_id, locale, return_url }) => {
      const { appId, data } = await billed(scope, deps, customerId);
      const linked = data?.customer_id;
      if (linked === undefined) throw sessionProblem('stripe_customer_missing', 'start a checkout session first');
      return asked(async () => {
        const client = await deps.accounts.clientOf(appId);
        await customerThere(client, linked);
        const known = defined({ configuration: configuration_id, return_url });
        const locales =
          locale === undefined || locale === ''
            ? {}
            : { locale: locale as Stripe.BillingPortal.SessionCreateParams.Locale };
        const session = await client.billingPortal.sessions.create({ customer: linked, ...known, ...locales });
        return {
          id: session.id,
          stripe_customer_id: linked,
          configuration_id:
            typeof session.configuration === 'string' ? session.configuration : session.configuration.id,
          livemode: session.livemode,
          created_at: formatInstant(session.created * 1000),
          return_url: session.return_url ?? '',
          locale: session.locale ?? 'auto',
          url: session.url,
        };
      });
    },
  };
}

async function billed(scope: Scope, deps: SessionsDeps, customerId: string) {
  const customer = await deps.findCustomer(customerId, scope);
  if (customer.deleted_at !== undefined) throw new RequestProblem('gone', `customer ${customerId} was deleted`);
  const { profile } = await deps.customerBilling.profileOf(customerId, scope);
  const appId = profile.apps.invoicing.id;
  if (!(await deps.isStripe(appId))) throw sessionProblem('stripe_not_billed', profile.name);
  const data = (await deps.customerBilling.stored(customerId, scope))?.app_data?.stripe;
  return { appId, customer, data };
}

/** Once, also when the request comes again or the process is killed on the way. */
async function createCustomer(
  scope: Scope,
  deps: SessionsDeps,
  { appId, customer, data }: { appId: string; customer: Customer; data: StripeData | undefined },
): Promise<string> {
  const journal = createLooseJournal(
    scope,
    { subjectId: customer.id, appId },
    { describe: describeFailure, translate: toAppError },
  );
  const metadata = { om_customer_id: customer.id, om_app_id: appId };
  const request = { name: customer.name, ...defined({ email: customer.primary_email }), metadata };
  const client = await deps.accounts.clientOf(appId);
  const id = await journal.make(
    `customer.create.${appId}`,
    request,
    async (idempotencyKey) => answered(await client.customers.create(request, { idempotencyKey })),
    async () => {
      // A day later at the earliest: by then Stripe's search has it.
      const { data: found } = await client.customers.search({
        query: `metadata['om_customer_id']:'${customer.id}'`,
        limit: 1,
      });
      return found[0]?.id;
    },
  );
  await scope.transaction((scope) => deps.customerBilling.linkStripe(customer.id, { ...data, customer_id: id }, scope));
  return id;
}

function toRequest(
  { ui_mode, currency, metadata, customer_update, tax_id_collection, custom_text, ...options }: CheckoutOptions,
  { appId, customer, linked }: { appId: string; customer: Customer; linked: string },
): Stripe.Checkout.SessionCreateParams {
  const ours = { om_customer_id: customer.id, om_app_id: appId };
  const ownCurrency = currency ?? customer.currency;
  return {
    ...(options as Stripe.Checkout.SessionCreateParams),
    mode: 'setup',
    customer: linked,
    ui_mode: ui_mode === 'embedded' ? 'embedded_page' : 'hosted_page',
    ...(ownCurrency !== undefined && { currency: ownCurrency.toLowerCase() }),
    ...(metadata !== undefined && { metadata }),
    setup_intent_data: { metadata: { ...metadata, ...ours } },
    ...(customer_update !== undefined && { customer_update }),
    ...(custom_text !== undefined && { custom_text: custom_text as Stripe.Checkout.SessionCreateParams.CustomText }),
    ...(tax_id_collection !== undefined && { tax_id_collection }),
  };
}

function toSession(session: Stripe.Checkout.Session, customerId: string, linked: string): CheckoutSession {
  const intent = session.setup_intent;
  const email = session.customer_details?.email ?? undefined;
  return {
    customer_id: customerId,
    stripe_customer_id: linked,
    session_id: session.id,
    setup_intent_id: (typeof intent === 'string' ? intent : intent?.id) ?? '',
    created_at: formatInstant(session.created * 1000),
    expires_at: formatInstant(session.expires_at * 1000),
    mode: 'setup',
    ...defined({
      client_secret: session.client_secret ?? undefined,
      client_reference_id: session.client_reference_id ?? undefined,
      customer_email: email,
      currency: session.currency?.toUpperCase(),
      metadata: session.metadata ?? undefined,
      status: session.status ?? undefined,
      url: session.url ?? undefined,
      cancel_url: session.cancel_url ?? undefined,
      success_url: session.success_url ?? undefined,
      return_url: session.return_url ?? undefined,
    }),
  };
}

/** A failure of Stripe's as an answer to the request that met it. */
async function asked<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const known = toAppError(error);
    if (known instanceof AppRefused) throw sessionProblem('stripe_refused', known.message);
    if (known instanceof AppUnauthorized) throw sessionProblem('stripe_refused', 'its key is not taken any more');
    if (known instanceof TryLater) throw new RequestProblem('unavailable', known.message);
    throw known;
  }
}
