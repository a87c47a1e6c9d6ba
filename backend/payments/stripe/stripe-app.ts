import type { CustomerBillingService, StripeData } from '../../billing/billing-profiles/index.ts';
import type { TaxCodes } from '../../catalog/tax-codes/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { AppRefused, type InvoiceWork, type Journal, type PaymentApp, type Task } from '../outgoing/index.ts';
import type { StripeAccounts } from './accounts.ts';
import { read } from './client.ts';
import { answered, type StripeWork, upsertDraft } from './draft.ts';
import { close, finalize } from './finalize.ts';
import { collect, look } from './look.ts';

export interface StripeAppDeps {
  accounts: StripeAccounts;
  customerBilling: CustomerBillingService;
  findTaxCodes: TaxCodes['findByIds'];
  /** Customers on test clocks: their money is play money. */
  onTestClocks(scope: Scope): Promise<ReadonlySet<string>>;
  isLive(appId: string): Promise<boolean>;
  /** Whether Stripe tells by itself what happens. */
  isTold: boolean;
}

/** Told otherwise, what was missed is found within the hour; else looking is all there is. */
const LOOK_WHEN_TOLD_MS = 3_600_000;
const LOOK_MS = 300_000;

export function createStripeApp(scope: Scope, deps: StripeAppDeps): PaymentApp {
  const over = (work: InvoiceWork) => toStripeWork(scope, deps, work);
  return {
    upsertDraft: async (work) => {
      const { appId, customerId } = work.invoice;
      if ((await deps.isLive(appId)) && (await deps.onTestClocks(scope)).has(customerId)) {
        throw new AppRefused('app_test_clock', 'the customer is on a test clock, and the account charges real money');
      }
      return upsertDraft(await over(work));
    },
    finalize: async (work) => finalize(await over(work)),
    close: async (work, how) => close(await over(work), how),
    collect: async (work) => collect(await over(work)),
    fetch: async (work) => look(await over(work)),
    followCustomer: (task, journal) => setDefaultMethod(scope, deps, task, journal),
    lookEveryMs: deps.isTold ? LOOK_WHEN_TOLD_MS : LOOK_MS,
  };
}

async function toStripeWork(scope: Scope, deps: StripeAppDeps, work: InvoiceWork): Promise<StripeWork> {
  const { invoice, lines } = work;
  const billing = await deps.customerBilling.stored(invoice.customerId, scope);
  const ids = lines.flatMap(({ taxConfig }) => taxConfig?.taxCodeId ?? []);
  const codes = await deps.findTaxCodes(ids, scope);
  return {
    ...work,
    client: () => deps.accounts.clientOf(invoice.appId),
    data: billing?.app_data?.stripe,
    taxCodeOf: (id) => codes.get(id)?.app_mappings?.find(({ app_type }) => app_type === 'stripe')?.tax_code,
  };
}

/** A customer has gone through a checkout session: what was set up there is what is charged from now on. */
async function setDefaultMethod(scope: Scope, deps: StripeAppDeps, task: Task, journal: Journal): Promise<void> {
  const intentId = task.content['setup_intent'];
  if (intentId === undefined) return;
  const client = await deps.accounts.clientOf(task.appId);
  const intent = await read(() => client.setupIntents.retrieve(intentId));
  const [customer, method] = [idOf(intent.customer), idOf(intent.payment_method)];
  if (intent.status !== 'succeeded' || customer === undefined || method === undefined) return;
  const stored = (await deps.customerBilling.stored(task.subjectId, scope))?.app_data?.stripe;
  // Linked to another one since.
  if (stored?.customer_id !== undefined && stored.customer_id !== customer) return;
  const request = { invoice_settings: { default_payment_method: method } };
  await journal.call('customer.default_payment_method', request, async (idempotencyKey) =>
    answered(await client.customers.update(customer, request, { idempotencyKey })),
  );
  const data: Omit<StripeData, 'labels'> = { customer_id: customer, default_payment_method_id: method };
  await scope.transaction((scope) => deps.customerBilling.linkStripe(task.subjectId, data, scope));
}

function idOf(there: string | { id: string } | null): string | undefined {
  if (there === null) return undefined;
  return typeof there === 'string' ? there : there.id;
}
