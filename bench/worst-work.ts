// Requests for bench/stall.ts that are allowed, and as much work as one can be: they need things that are there already.

/** Sends JSON, answers the body; throws unless the status is one of success. */
// biome-ignore lint/suspicious/noExplicitAny: a bench looks into answers freely
export type Ask = (method: string, path: string, body?: unknown) => Promise<any>;

export interface Work {
  operation: string;
  what: string;
  run(): Promise<unknown>;
}

const CARDS = 250;
/** As many as one request may have values for. */
const PHASES = 10;
const BATCH = 8;

const fee = (key: string, cadence: string) => ({
  key,
  name: key,
  billing_cadence: cadence,
  payment_term: 'in_advance',
  price: { type: 'flat', amount: '1' },
});

const planBody = (key: string, cards: readonly unknown[]) => ({
  key,
  name: key,
  currency: 'USD',
  billing_cadence: 'P1M',
  phases: [{ key: 'default', name: 'Default', rate_cards: cards }],
});

/** Puts into the backend what the work is done with. */
export async function prepareWork(ask: Ask, size: { customers: number; lines: number }): Promise<Work[]> {
  const small = await ask('POST', '/plans', planBody('small', [fee('base', 'P1M'), fee('extra', 'P1M')]));
  await ask('POST', `/plans/${small.id}/publish`);
  await inBatches(size.customers, async (index) => {
    const { id } = await ask('POST', '/customers', { key: `c${index}`, name: `c${index}`, currency: 'USD' });
    await ask('POST', '/subscriptions', { customer: { id }, plan: { id: small.id } });
  });
  const cards = Array.from({ length: CARDS }, (_, index) => fee(`fee_${index}`, 'P1D'));
  const phases = Array.from({ length: PHASES }, (_, index) => ({
    key: `phase_${index}`,
    name: `Phase ${index}`,
    ...(index < PHASES - 1 && { duration: 'P1M' }),
    rate_cards: cards,
  }));
  const large = { ...planBody('large', cards), phases };
  const draft = await ask('POST', '/plans', large);
  const long = await customerWithCharges(ask, 'long', size.lines);
  const first = await customerWithCharges(ask, 'first', size.lines);
  const [invoice] = (await ask('POST', `/customers/${first}/invoices`, {})).data;
  const clocked = await ask('POST', '/customers', { key: 'clock', name: 'clock', currency: 'USD' });
  const clock = `/customers/${clocked.id}/test-clock`;
  await ask('PUT', clock, { now: '2026-01-01T00:00:00Z' });
  const daily = await ask('POST', '/plans', planBody('daily', cards));
  await ask('POST', `/plans/${daily.id}/publish`);
  await ask('POST', '/subscriptions', { customer: { id: clocked.id }, plan: { id: daily.id } });
  const period = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  const tiers = [
    { up_to_amount: '10', unit_price: { type: 'unit', amount: '2' } },
    { unit_price: { type: 'unit', amount: '1' } },
  ];
  const lines = Array.from({ length: 1000 }, (_, index) => ({
    name: `line ${index}`,
    service_period: period,
    quantity: '1234.5',
    price: { type: 'graduated', tiers },
  }));
  const { name } = large;
  const work = (operation: string, what: string, method: string, path: string, body?: unknown): Work => ({
    operation,
    what,
    run: () => ask(method, path, body),
  });
  return [
    work('preview-customer-invoice', `${size.lines} charges`, 'GET', `/customers/${long}/invoice-preview`),
    work('simulate-customer-invoice', '1,000 lines', 'POST', `/customers/${clocked.id}/invoice-preview/simulate`, {
      lines,
    }),
    work('invoice-customer-now', `${size.lines} lines`, 'POST', `/customers/${long}/invoices`, {}),
    work('get-invoice', `${size.lines} lines`, 'GET', `/billing/invoices/${invoice.id}`),
    work('list-invoices', `long ones`, 'GET', '/billing/invoices?page[size]=100'),
    work('list-customer-charges', '100 of many', 'GET', `/customers/${first}/charges?page[size]=100`),
    work('update-plan', `${PHASES * CARDS} rate cards`, 'PUT', `/plans/${draft.id}`, { name, phases }),
    work('estimate-cost', `a plan of ${CARDS} rate cards`, 'POST', '/cost-estimates', { plan: { id: draft.id } }),
    work('advance-customer-test-clock', `3 days of ${CARDS} fees`, 'POST', `${clock}/advance`, { by: 'P3D' }),
    {
      operation: 'start-billing-run',
      what: `${size.customers} customers`,
      run: async () => {
        const { id } = await ask('POST', '/billing/runs', { full: true });
        for (;;) {
          if ((await ask('GET', `/billing/runs/${id}`)).stage === 'finished') return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      },
    },
  ];
}

async function customerWithCharges(ask: Ask, key: string, count: number): Promise<string> {
  const { id } = await ask('POST', '/customers', { key, name: key, currency: 'USD' });
  const at = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z/, 'Z');
  await inBatches(count, (index) =>
    ask('POST', `/customers/${id}/charges`, {
      type: 'flat_fee',
      name: `Fee ${index}`,
      currency: 'USD',
      invoice_at: at,
      service_period: { from: at, to: at },
      settlement_mode: 'credit_then_invoice',
      payment_term: 'in_advance',
      proration_configuration: { mode: 'no_proration' },
      amount_before_proration: { amount: '1', currency: 'USD' },
    }),
  );
  return id;
}

async function inBatches(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < count; start += BATCH) {
    const length = Math.min(BATCH, count - start);
    await Promise.all(Array.from({ length }, (_, index) => work(start + index)));
  }
}
