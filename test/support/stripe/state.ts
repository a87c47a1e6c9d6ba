/** What Stripe keeps: customers, invoices with their items, sessions; and what it does to them. */
import type { FormObject, FormValue } from './form.ts';
import { missing, Refusal, wrong } from './refusal.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of another system, as the package's types have them
type There = any;

export interface StripeState {
  invoices: Map<string, There>;
  customers: Map<string, There>;
  call(method: string, path: string, form: FormObject): unknown;
  webhookSecret(): string;
  endpoints: Map<string, There>;
  /** A customer with an e-mail and, where wanted, a payment method. */
  addCustomer(fields?: { email?: string | null; method?: string; country?: string }): string;
  /** A person goes through a checkout session. @returns the setup intent */
  completeSetup(sessionId: string): There;
  /** What becomes of an invoice's payment. */
  settle(invoiceId: string, how: 'paid' | 'declined' | 'action' | 'out of band'): There;
  /** In percent, exclusive, of everything that automatic tax is computed for. */
  taxPercent: { value: number };
}

const MAX_ITEMS = 250;
/** What each operation takes; anything else is `parameter_unknown`. */
const TAKES: Record<string, readonly string[]> = {
  'POST /v1/invoices': ['customer', 'currency', 'auto_advance', 'pending_invoice_items_behavior', 'metadata'],
  'POST /v1/invoices/:id': [
    'collection_method',
    'automatic_tax',
    'description',
    'days_until_due',
    'due_date',
    'default_payment_method',
  ],
  'POST /v1/invoices/:id/add_lines': ['lines'],
  'POST /v1/invoices/:id/remove_lines': ['lines'],
  'POST /v1/invoices/:id/finalize': ['auto_advance'],
  'POST /v1/invoiceitems': [
    'invoice',
    'customer',
    'currency',
    'amount',
    'description',
    'period',
    'metadata',
    'tax_code',
    'tax_behavior',
  ],
  'POST /v1/customers': ['name', 'email', 'metadata'],
  'POST /v1/customers/:id': ['invoice_settings'],
};
const LINE_TAKES = ['amount', 'description', 'period', 'metadata', 'quantity', 'price_data'];

export function createStripeState(nowS: () => number): StripeState {
  const [invoices, customers, items, endpoints] = [1, 2, 3, 4].map(() => new Map<string, There>()) as [
    Map<string, There>,
    Map<string, There>,
    Map<string, There>,
    Map<string, There>,
  ];
  const [sessions, intents, payments, methods] = [1, 2, 3, 4].map(() => new Map<string, There>()) as [
    Map<string, There>,
    Map<string, There>,
    Map<string, There>,
    Map<string, There>,
  ];
  const taxPercent = { value: 0 };
  let last = 0;
  const next = (digits: number) => {
    last += 1;
    return last.toString().padStart(digits, '0');
  };
  const newId = (prefix: string) => `${prefix}_${next(6)}`;
  const find = (map: Map<string, There>, id: string) => {
    const found = map.get(id);
    if (found === undefined) throw missing(id);
    return found;
  };

  const linesOf = (invoice: There): There[] => [...items.values()].filter((item) => item.invoice === invoice.id);
  const summed = (invoice: There) => {
    const subtotal = linesOf(invoice).reduce((sum, { amount }) => sum + amount, 0);
    const isTaxed = invoice.automatic_tax.enabled && taxPercent.value > 0;
    const tax = isTaxed ? Math.round((subtotal * taxPercent.value) / 100) : 0;
    const total_taxes = isTaxed
      ? [{ amount: tax, tax_behavior: 'exclusive', taxable_amount: subtotal, type: 'tax_rate_details' }]
      : [];
    const own = [...payments.values()].filter((payment) => payment.invoice === invoice.id);
    return { ...invoice, subtotal, total: subtotal + tax, total_taxes, payments: list(own, {}) };
  };
  const draft = (id: string) => {
    const invoice = find(invoices, id);
    if (invoice.status !== 'draft') throw wrong(`Invoice ${id} is ${invoice.status}`, 'invoice_not_editable');
    return invoice;
  };

  const addItem = (invoice: There, line: { [name: string]: There }) => {
    if (linesOf(invoice).length >= MAX_ITEMS) throw wrong('You can have at most 250 items on an invoice');
    const [item, id] = [newId('ii'), newId('il')];
    const amount = integer(line['amount'] ?? line['price_data']?.unit_amount, 'amount');
    if (line['price_data'] !== undefined && amount < 0) throw wrong('unit_amount must not be negative');
    if (/^(isk)$/.test(invoice.currency) && amount % 100 !== 0)
      throw wrong('no fractions', 'invalid_charge_amount_no_decimal_compatible');
    if (/^(bhd|jod|kwd|omr|tnd)$/.test(invoice.currency) && amount % 10 !== 0) throw wrong('the last digit must be 0');
    const period = line['period'] as FormObject;
    const parent = { type: 'invoice_item_details', invoice_item_details: { invoice_item: item } };
    const fields = {
      metadata: metadataOf(line['metadata']),
      period: { start: Number(period?.['start']), end: Number(period?.['end']) },
    };
    items.set(id, {
      id,
      object: 'line_item',
      invoice: invoice.id,
      amount,
      currency: invoice.currency,
      parent,
      description: line['description'],
      ...fields,
      tax_code: line['tax_code'] ?? line['price_data']?.product_data?.tax_code,
    });
  };

  const addPayment = (invoice: There) => {
    const intent = newId('pi');
    intents.set(intent, {
      id: intent,
      object: 'payment_intent',
      status: 'processing',
      payment_method_types: ['card'],
      last_payment_error: null,
    });
    const id = newId('inpay');
    payments.set(id, {
      id,
      object: 'invoice_payment',
      invoice: invoice.id,
      is_default: true,
      status: 'open',
      amount_paid: null,
      created: nowS(),
      amount_requested: summed(invoice).total,
      currency: invoice.currency,
      payment: { type: 'payment_intent', payment_intent: intent },
      status_transitions: { paid_at: null, canceled_at: null },
    });
  };

  const finalize = (invoice: There) => {
    const customer = find(customers, invoice.customer);
    if (invoice.automatic_tax.enabled && taxPercent.value > 0 && customer.address === null) {
      throw wrong('The customer has no location', 'customer_tax_location_invalid');
    }
    if (invoice.collection_method === 'send_invoice' && (customer.email ?? '') === '')
      throw wrong('The customer has no email');
    const { total } = summed(invoice);
    const number = `FAKE-${next(4)}`;
    Object.assign(invoice, {
      number,
      status: 'open',
      auto_advance: true,
      status_transitions: { finalized_at: nowS(), paid_at: null },
    });
    if (total === 0) invoice.status = 'paid';
    else addPayment(invoice);
    return summed(invoice);
  };

  const settle = (invoiceId: string, how: 'paid' | 'declined' | 'action' | 'out of band') => {
    const invoice = find(invoices, invoiceId);
    const payment = [...payments.values()].find((own) => own.invoice === invoiceId);
    const intent = intents.get(payment?.payment.payment_intent);
    if (how === 'declined') {
      const error = {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'insufficient_funds',
        message: 'Your card has insufficient funds.',
      };
      Object.assign(intent, { status: 'requires_payment_method', last_payment_error: error });
    } else if (how === 'action') Object.assign(intent, { status: 'requires_action', last_payment_error: null });
    else {
      invoice.status = 'paid';
      if (how === 'paid') {
        Object.assign(intent, { status: 'succeeded', last_payment_error: null });
        Object.assign(payment, {
          status: 'paid',
          amount_paid: payment.amount_requested,
          status_transitions: { paid_at: nowS(), canceled_at: null },
        });
      } else Object.assign(payment, { status: 'canceled' });
    }
    return summed(invoice);
  };

  const invoiceCall = (method: string, id: string, action: string | undefined, form: FormObject): unknown => {
    const invoice = find(invoices, id);
    if (method === 'GET' && action === 'lines') return list(linesOf(invoice), form);
    if (method === 'GET') return expanded(summed(invoice));
    if (method === 'DELETE') {
      draft(id);
      invoices.delete(id);
      return { id, object: 'invoice', deleted: true };
    }
    switch (action) {
      case undefined:
        for (const [name, value] of Object.entries(form)) draft(id)[name] = typed(name, value);
        if (form['days_until_due'] !== undefined) invoice.due_date = nowS() + 86_400 * Number(form['days_until_due']);
        if (Number(form['due_date'] ?? nowS() + 1) <= nowS()) throw wrong('due_date must be in the future');
        return summed(invoice);
      case 'add_lines':
        for (const line of form['lines'] as FormObject[]) {
          onlyKnown(line, LINE_TAKES);
          addItem(draft(id), line);
        }
        return summed(invoice);
      case 'remove_lines':
        for (const line of form['lines'] as FormObject[]) {
          if (!String(line['id']).startsWith('il_')) throw missing(String(line['id']));
          find(items, String(line['id']));
          items.delete(String(line['id']));
        }
        return summed(draft(id));
      case 'finalize':
        return finalize(draft(id));
      case 'void':
        if (invoice.status !== 'open' && invoice.status !== 'uncollectible')
          throw wrong(`${invoice.status} cannot be voided`);
        invoice.status = 'void';
        return summed(invoice);
      case 'mark_uncollectible':
        if (invoice.status !== 'open') throw wrong(`${invoice.status} cannot be given up`);
        invoice.status = 'uncollectible';
        return summed(invoice);
      case 'pay': {
        if (invoice.status !== 'open') throw wrong(`${invoice.status} cannot be paid`);
        const customer = find(customers, invoice.customer);
        if (customer.declines) {
          settle(id, 'declined');
          throw new Refusal(402, { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' });
        }
        return settle(id, 'paid');
      }
      default:
        throw missing(action);
    }
  };
  /** The payment's intent is named; what lists payments may ask for it whole. */
  const expanded = (invoice: There) => invoice;

  const call = (method: string, path: string, form: FormObject): unknown => {
    const [, , resource = '', id, action] = path.split('/');
    const takes =
      TAKES[
        `${method} ${[`/v1/${resource}`, id === undefined ? '' : '/:id', action === undefined ? '' : `/${action}`].join('')}`
      ];
    const { expand: _, ...given } = form;
    if (takes !== undefined) onlyKnown(given, takes);
    switch (resource) {
      case 'invoices': {
        if (id !== undefined) return invoiceCall(method, id, action, form);
        if (method === 'GET') {
          const own = [...invoices.values()]
            .filter(({ customer }) => customer === form['customer'])
            .map(summed)
            .reverse();
          return list(own, form);
        }
        const customer = find(customers, String(form['customer']));
        const made = {
          id: newId('in'),
          object: 'invoice',
          status: 'draft',
          customer: customer.id,
          currency: form['currency'],
          number: null,
          created: nowS(),
          auto_advance: form['auto_advance'] === 'true',
          automatic_tax: { enabled: false },
          collection_method: 'charge_automatically',
          description: null,
          default_payment_method: null,
          due_date: null,
          metadata: metadataOf(form['metadata']),
          status_transitions: { finalized_at: null, paid_at: null },
          livemode: false,
        };
        invoices.set(made.id, made);
        return summed(made);
      }
      case 'invoiceitems': {
        const invoice = draft(String(form['invoice']));
        if (id !== undefined) throw missing(id);
        if (form['customer'] !== invoice.customer) throw wrong('another customer');
        addItem(invoice, form);
        return { id: newId('ii'), object: 'invoiceitem' };
      }
      case 'invoice_payments': {
        const own = [...payments.values()].filter((payment) => payment.invoice === form['invoice']);
        const whole = own.map((payment) => ({
          ...payment,
          payment: { ...payment.payment, payment_intent: intents.get(payment.payment.payment_intent) },
        }));
        return list(whole.reverse(), form);
      }
      case 'customers': {
        if (id === 'search')
          return {
            object: 'search_result',
            data: [...customers.values()].filter(({ metadata }) =>
              String(form['query']).includes(metadata?.om_customer_id ?? '?'),
            ),
            has_more: false,
            url: '',
            next_page: null,
          };
        if (id === undefined) {
          const made = {
            ...customer(newId('cus')),
            name: form['name'],
            email: form['email'] ?? null,
            metadata: metadataOf(form['metadata']),
          };
          customers.set(made.id, made);
          return made;
        }
        const found = find(customers, id);
        if (method === 'POST')
          found.invoice_settings = { ...found.invoice_settings, ...(form['invoice_settings'] as object) };
        return found.deleted ? { id, object: 'customer', deleted: true } : found;
      }
      case 'payment_methods':
        return find(methods, id ?? '');
      case 'setup_intents':
        return find(intents, id ?? '');
      case 'checkout':
        return newSession(form);
      case 'billing_portal': {
        find(customers, String(form['customer']));
        return {
          id: newId('bps'),
          object: 'billing_portal.session',
          configuration: form['configuration'] ?? 'bpc_default',
          created: nowS(),
          livemode: false,
          locale: form['locale'] ?? null,
          return_url: form['return_url'] ?? null,
          url: 'https://billing.stripe.com/p/session/test',
        };
      }
      case 'webhook_endpoints': {
        if (method === 'GET') return list([...endpoints.values()], form);
        if (method === 'DELETE') {
          find(endpoints, id ?? '');
          endpoints.delete(id ?? '');
          return { id, object: 'webhook_endpoint', deleted: true };
        }
        const made = {
          id: newId('we'),
          object: 'webhook_endpoint',
          url: form['url'],
          enabled_events: form['enabled_events'],
        };
        endpoints.set(made.id, made);
        return { ...made, secret: WEBHOOK_SECRET };
      }
      default:
        throw missing(path);
    }
  };

  const newSession = (form: FormObject) => {
    if (form['mode'] !== 'setup') throw wrong('mode');
    if (form['ui_mode'] === 'hosted_page' && form['success_url'] === undefined)
      throw wrong('success_url is missing', 'parameter_missing');
    find(customers, String(form['customer']));
    const intent = {
      id: newId('seti'),
      object: 'setup_intent',
      status: 'requires_payment_method',
      customer: form['customer'],
      payment_method: null,
      metadata: metadataOf((form['setup_intent_data'] as FormObject)['metadata']),
    };
    intents.set(intent.id, intent);
    const isHosted = form['ui_mode'] === 'hosted_page';
    const made = {
      id: newId('cs_test'),
      object: 'checkout.session',
      mode: 'setup',
      setup_intent: intent.id,
      status: 'open',
      created: nowS(),
      expires_at: nowS() + 86_400,
      url: isHosted ? 'https://checkout.stripe.com/c/pay/cs_test' : null,
      client_secret: isHosted ? null : 'cs_test_secret_x',
      currency: form['currency'] ?? null,
      success_url: form['success_url'] ?? null,
      cancel_url: form['cancel_url'] ?? null,
      return_url: form['return_url'] ?? null,
      metadata: metadataOf(form['metadata']),
      client_reference_id: form['client_reference_id'] ?? null,
      customer_details: null,
    };
    sessions.set(made.id, made);
    return made;
  };

  const addMethod = (customerId: string, id = newId('pm')) => {
    methods.set(id, { id, object: 'payment_method', customer: customerId, type: 'card' });
    return id;
  };

  return {
    invoices,
    customers,
    endpoints,
    taxPercent,
    call,
    settle,
    webhookSecret: () => WEBHOOK_SECRET,
    addCustomer: ({ email = 'pay@example.com', method, country = 'DE' } = {}) => {
      const id = newId('cus');
      const own = method === undefined ? null : addMethod(id, method);
      customers.set(id, {
        ...customer(id),
        email,
        address: country === '' ? null : { country },
        invoice_settings: { default_payment_method: own },
      });
      return id;
    },
    completeSetup: (sessionId) => {
      const intent = find(intents, find(sessions, sessionId).setup_intent);
      Object.assign(intent, { status: 'succeeded', payment_method: addMethod(intent.customer) });
      return intent;
    },
  };
}

const WEBHOOK_SECRET = 'whsec_fakefakefake';

function customer(id: string): There {
  return {
    id,
    object: 'customer',
    email: null,
    address: { country: 'DE' },
    default_source: null,
    invoice_settings: { default_payment_method: null },
    tax: { automatic_tax: 'supported' },
    metadata: {},
  };
}

/** Ten by default, a hundred at most. */
function list(all: readonly There[], form: FormObject) {
  const limit = Math.min(Number(form['limit'] ?? 10), 100);
  const from = form['starting_after'] === undefined ? 0 : all.findIndex(({ id }) => id === form['starting_after']) + 1;
  return { object: 'list', data: all.slice(from, from + limit), has_more: from + limit < all.length, url: '/v1/list' };
}

function onlyKnown(form: FormObject, takes: readonly string[]): void {
  const unknown = Object.keys(form).find((name) => !takes.includes(name));
  if (unknown !== undefined)
    throw new Refusal(400, {
      code: 'parameter_unknown',
      message: `Received unknown parameter: ${unknown}`,
      param: unknown,
    });
}

function integer(value: unknown, name: string): number {
  if (typeof value !== 'string' || !/^-?\d+$/.test(value))
    throw wrong(`Invalid integer: ${String(value)} (${name})`, 'parameter_invalid_integer');
  return Number(value);
}

function metadataOf(value: FormValue | undefined): Record<string, string> {
  const metadata = (value ?? {}) as Record<string, string>;
  for (const [key, text] of Object.entries(metadata)) {
    if (key.length > 40 || text.length > 500) throw wrong(`metadata ${key}`);
  }
  return metadata;
}

function typed(name: string, value: FormValue): unknown {
  if (name === 'automatic_tax') return { enabled: (value as FormObject)['enabled'] === 'true' };
  if (name === 'due_date') return integer(value, name);
  return value === '' ? null : value;
}
