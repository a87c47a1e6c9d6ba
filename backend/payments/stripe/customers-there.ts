/** Whether a customer can be billed through Stripe. */
import type Stripe from 'stripe';
import type { Invoice } from '../../billing/invoice-records/index.ts';
import { AppRefused } from '../outgoing/index.ts';
import { isMissing, read } from './client.ts';

/** Which customer of Stripe a customer is, and how it pays. */
export interface StripeData {
  customer_id?: string | undefined;
  default_payment_method_id?: string | undefined;
}

/** The customer there. @throws AppRefused when it is not there any more */
export async function customerThere(client: Stripe, id: string): Promise<Stripe.Customer> {
  const refuse = (why: string) =>
    new AppRefused('app_customer_gone', `customer ${id} ${why} in Stripe: link another one`);
  try {
    const expand = ['invoice_settings.default_payment_method', 'tax'];
    const customer = await client.customers.retrieve(id, { expand });
    if (customer.deleted) throw refuse('was deleted');
    return customer;
  } catch (error) {
    if (isMissing(error)) throw refuse('is not there');
    return read(() => Promise.reject(error));
  }
}

const NO_TAX = ['not_collecting', 'failed', 'unrecognized_location'];

/**
 * What keeps an invoice from going out.
 * @returns the customer there, and the payment method that is set here
 * @throws AppRefused
 */
export async function checkedCustomer(
  client: Stripe,
  { workflow }: Pick<Invoice, 'workflow'>,
  data: StripeData | undefined,
): Promise<{ customer: Stripe.Customer; paymentMethodId: string | undefined }> {
  if (data?.customer_id === undefined) {
    throw new AppRefused(
      'app_customer_not_linked',
      'the customer has no customer in Stripe: start a checkout session, or link one in its billing settings',
    );
  }
  const customer = await customerThere(client, data.customer_id);
  const paymentMethodId = data.default_payment_method_id;
  const { collection_method } = workflow.payment;
  if (collection_method === 'charge_automatically') {
    const own = customer.invoice_settings.default_payment_method ?? customer.default_source;
    if (paymentMethodId === undefined && own === null) {
      throw new AppRefused(
        'app_no_payment_method',
        'the customer has no payment method in Stripe: start a checkout session for one',
      );
    }
  } else if (customer.email === null || customer.email === '') {
    throw new AppRefused(
      'app_customer_no_email',
      'Stripe sends invoices by e-mail, and the customer has none there; the one that is set here is not taken',
    );
  }
  if (workflow.tax.enforced && NO_TAX.includes(customer.tax?.automatic_tax ?? '')) {
    throw new AppRefused(
      'app_tax_not_computable',
      `Stripe cannot compute the customer's taxes: ${customer.tax?.automatic_tax}`,
    );
  }
  return { customer, paymentMethodId };
}
