import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withTables } from '../../../../backend/platform/db/handle.ts';
import { codeOf, send, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge, usageCharge } from '../../../support/billing/charges.ts';
import { act, useProfile } from '../../../support/billing/invoices.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { contractIsAvailable, contractViolations } from '../../../support/contract.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const FROM = '2026-11-01T00:00:00Z';
const TO = '2026-12-01T00:00:00Z';
let t: TestBackend;
let featureId: string;
beforeAll(async () => {
  t = await createTestBackend();
  featureId = (await createMeteredFeature(t, 'calls')).id;
});
afterAll(() => t.close());

const preview = (id: string, query = '') => send(t, 'GET', `/customers/${id}/invoice-preview${query}`, undefined, 200);
/** Everything of an invoice that is money or quantity. */
const numbers = (invoice: Awaited<ReturnType<typeof preview>>) => ({
  totals: invoice.totals,
  lines: invoice.lines.map((line: Awaited<ReturnType<typeof preview>>) => ({
    name: line.name,
    period: line.service_period,
    totals: line.totals,
    details: line.detailed_lines.map(({ name, quantity, unit_price, totals }: Record<string, unknown>) => ({
      name,
      quantity,
      unit_price,
      totals,
    })),
  })),
});

describe('the preview', () => {
  test('is the invoice that is made later of the same usage, in the shape of an invoice', async () => {
    const customer = await createCustomer(t, 'same');
    await useProfile(t, customer.id, { invoicing: { auto_advance: false } });
    await sendEvents(t, 'calls', 'same', '2026-11-20T00:00:00Z', [1, 2, 3, 4, 5]);
    await createCharge(t, customer.id, usageCharge(featureId, FROM, TO, { price: { type: 'unit', amount: '0.333' } }));
    await createCharge(t, customer.id, flatCharge('10', TO, { discounts: { percentage: 10 } }));
    const seen = await preview(customer.id);
    expect(seen).toMatchObject({
      status: 'draft',
      currency: 'USD',
      status_details: { extended_status: 'gathering', immutable: false, available_actions: {} },
      collection_at: '2026-12-01T01:00:00Z',
      totals: { amount: '11.67', discounts_total: '1', total: '10.67' },
    });
    expect(seen.number).toMatch(/^GATHER-SAME-USD-\d+$/);
    if (contractIsAvailable) {
      const path = `/openmeter/billing/invoices/${UNKNOWN_ID}`;
      expect(contractViolations('GET', path, 200, 'application/json', JSON.stringify(seen))).toEqual([]);
    }
    const again = await preview(customer.id);
    expect(again).toEqual(seen);
    t.clock.set('2026-12-01T01:00:00Z');
    const [made] = (await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201)).data;
    expect(numbers(made)).toEqual(numbers(seen));
    expect((await preview(customer.id)).lines).toEqual([]);
  });

  test('of a customer that subscribes to nothing is empty; of nobody it is 404', async () => {
    const customer = await createCustomer(t, 'empty', { currency: 'EUR' });
    expect(await preview(customer.id)).toMatchObject({ currency: 'EUR', lines: [], totals: { total: '0' } });
    await send(t, 'GET', `/customers/${UNKNOWN_ID}/invoice-preview`, undefined, 404);
    await send(t, 'GET', `/customers/${customer.id}/invoice-preview?currency=euro`, undefined, 400);
    const path = `/customers/${customer.id}/invoice-preview`;
    expect((await t.request('GET', path, { token: TOKENS.ingest })).status).toBe(403);
    expect((await t.request('GET', path, { token: null })).status).toBe(401);
  });

  test('is asked for each currency', async () => {
    const customer = await createCustomer(t, 'currencies');
    const euro = { currency: 'EUR', amount_before_proration: { amount: '7', currency: 'EUR' } };
    await createCharge(t, customer.id, flatCharge('5', TO));
    await createCharge(t, customer.id, flatCharge('7', TO, euro));
    expect((await preview(customer.id)).totals.total).toBe('5');
    expect((await preview(customer.id, '?currency=EUR')).totals.total).toBe('7');
  });
});

describe('simulating', () => {
  const simulate = (id: string, body: unknown, status = 200) =>
    send(t, 'POST', `/customers/${id}/invoice-preview/simulate`, body, status);

  test('other quantities, and lines that nobody has agreed on; nothing is stored', async () => {
    const customer = await createCustomer(t, 'what-if');
    await createCharge(t, customer.id, usageCharge(featureId, FROM, '2027-01-01T00:00:00Z'));
    expect((await simulate(customer.id, { quantities: { calls: '1000' } })).totals.total).toBe('500');
    const period = { from: FROM, to: TO };
    const line = (price: unknown, fields = {}) => ({ name: 'L', service_period: period, price, ...fields });
    const packages = { operation: 'divide', conversion_factor: '100', rounding: 'ceiling' };
    const json = await simulate(customer.id, {
      lines: [
        line({ type: 'flat', amount: '20' }),
        line({ type: 'unit', amount: '3' }, { quantity: '250', unit_config: packages }),
      ],
    });
    expect(json.totals.total).toBe('29');
    expect(json.lines[2].usage_quantity_detail).toEqual({ raw_quantity: '250', invoiced_quantity: '3' });
    expect((await preview(customer.id)).totals.total).toBe('0');
  });

  test.each([
    ['a negative quantity', { quantities: { calls: '-1' } }, 'quantities.calls'],
    [
      'a price without tiers',
      { lines: [{ name: 'L', service_period: { from: FROM, to: TO }, price: { type: 'graduated', tiers: [] } }] },
      'lines.0.price.tiers',
    ],
    [
      'a period that ends before it begins',
      { lines: [{ name: 'L', service_period: { from: TO, to: FROM }, price: { type: 'flat', amount: '1' } }] },
      'lines.0.service_period',
    ],
  ])('400: %s', async (name, body, field) => {
    const customer = await createCustomer(t, name);
    expect((await simulate(customer.id, body, 400)).invalid_parameters[0].field).toBe(field);
  });
});

describe('charges', () => {
  const list = (id: string, query = '') => send(t, 'GET', `/customers/${id}/charges${query}`, undefined, 200);

  test('201: a flat fee with its proration, usage with what it comes to', async () => {
    const customer = await createCustomer(t, 'charges');
    const half = flatCharge('30', TO, {
      service_period: { from: '2026-11-16T00:00:00Z', to: TO },
      full_service_period: { from: FROM, to: TO },
      proration_configuration: { mode: 'prorate_prices' },
    });
    expect(await createCharge(t, customer.id, half)).toMatchObject({
      amount_after_proration: { amount: '15', currency: 'USD' },
      lifecycle_controller: 'manual',
      status: 'active',
    });
    await createCharge(t, customer.id, usageCharge(featureId, FROM, '2027-01-01T00:00:00Z'));
    await sendEvents(t, 'calls', 'charges', '2026-11-20T00:00:00Z', [1, 2]);
    const { data } = await list(customer.id, '?expand=real_time_usage');
    expect(data[1]).toMatchObject({
      feature_key: 'calls',
      totals: { booked: { total: '0' }, realtime: { total: '1' } },
    });
    expect((await list(customer.id)).data[1].totals.realtime).toBeUndefined();
  });

  test('one charge for a reference, however often it is sent; another one is refused', async () => {
    const customer = await createCustomer(t, 'reference');
    const charge = flatCharge('5', TO, { unique_reference_id: 'order-1' });
    const first = await createCharge(t, customer.id, charge);
    expect(await createCharge(t, customer.id, charge)).toEqual(first);
    const other = await send(t, 'POST', `/customers/${customer.id}/charges`, { ...charge, name: 'Other' }, 409);
    expect(codeOf(other)).toBe('charge_unique_reference_taken');
    expect((await list(customer.id)).meta.page.total).toBe(1);
  });

  test('filters, sorting and pages', async () => {
    const customer = await createCustomer(t, 'charge-list');
    const later = '2027-03-01T00:00:00Z';
    await createCharge(t, customer.id, flatCharge('1', later));
    await createCharge(t, customer.id, flatCharge('2', FROM));
    await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201);
    const names = async (query: string) =>
      (await list(customer.id, query)).data.map((item: { status: string }) => item.status);
    expect(await names('')).toEqual(['created', 'final']);
    expect(await names('?sort=service_period.from')).toEqual(['final', 'created']);
    expect(await names('?filter[status]=final')).toEqual(['final']);
    expect(await names('?filter[status][oeq]=created,active')).toEqual(['created']);
    expect(await names('?page[size]=1&page[number]=2')).toEqual(['final']);
    await send(t, 'GET', `/customers/${customer.id}/charges?filter[status]=paid`, undefined, 400);
    await send(t, 'GET', `/customers/${customer.id}/charges?expand=lines`, undefined, 400);
    await send(t, 'GET', `/customers/${UNKNOWN_ID}/charges`, undefined, 404);
  });

  test.each([
    ['a feature that is not there', { feature_id: UNKNOWN_ID }, 'feature_id'],
    ['a currency that is not there', { currency: 'XQX' }, 'currency'],
    ['a period that ends before it begins', { service_period: { from: TO, to: FROM } }, 'service_period'],
    ['no price', { price: undefined }, 'price'],
    ['an unknown field', { color: 'red' }, 'color'],
  ])('400: %s', async (name, change, field) => {
    const customer = await createCustomer(t, `charge: ${name}`);
    const charge = { ...usageCharge(featureId, FROM, TO), ...change };
    const json = await send(t, 'POST', `/customers/${customer.id}/charges`, charge, 400);
    expect(json.invalid_parameters[0].field).toBe(field);
  });

  test('404, 410: no such customer, a deleted one; a customer with charges cannot be deleted', async () => {
    await send(t, 'POST', `/customers/${UNKNOWN_ID}/charges`, flatCharge('1', TO), 404);
    const gone = await createCustomer(t, 'gone');
    await send(t, 'DELETE', `/customers/${gone.id}`, undefined, 204);
    await send(t, 'POST', `/customers/${gone.id}/charges`, flatCharge('1', TO), 410);
    const customer = await createCustomer(t, 'stays');
    await createCharge(t, customer.id, flatCharge('1', '2027-05-01T00:00:00Z'));
    const refused = await send(t, 'DELETE', `/customers/${customer.id}`, undefined, 400);
    expect(codeOf(refused)).toBe('customer_has_open_invoices');
  });
});

describe('tracing back', () => {
  const month = { from: '2026-11-01T00:00:00Z', to: '2026-11-21T00:00:00Z' };
  const events = (path: string) => send(t, 'GET', `${path}/events?page[size]=2`, undefined, 200);
  async function all(path: string) {
    const found: { value?: string; id: string; change?: string }[] = [];
    let page = await events(path);
    found.push(...page.data);
    while (page.meta.page.next !== null) {
      page = await send(t, 'GET', `${path}/events?page[size]=2&page[after]=${page.meta.page.next}`, undefined, 200);
      found.push(...page.data);
    }
    return found;
  }

  test('a line lists exactly the events that it bills, also after others have come; a correction lists those', async () => {
    const tokens = await createMeteredFeature(t, 'tokens', 'sum');
    const customer = await createCustomer(t, 'trace');
    await sendEvents(t, 'tokens', 'trace', '2026-11-10T00:00:00Z', [1, 20, 300]);
    await createCharge(t, customer.id, usageCharge(tokens.id, month.from, month.to));
    const [{ id }] = (await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201)).data;
    await sendEvents(t, 'tokens', 'trace', '2026-11-11T00:00:00Z', [4000]);
    const { lines } = await send(t, 'GET', `/billing/invoices/${id}`, undefined, 200);
    const path = `/billing/invoices/${id}/lines/${lines[0].id}`;
    const counted = await all(path);
    expect(counted.map(({ value }) => value)).toEqual(['1', '20', '300']);
    const explained = await send(t, 'GET', `${path}/explanation`, undefined, 200);
    expect(explained).toMatchObject({
      meter: { key: 'tokens', aggregation: 'sum', event_type: 'tokens' },
      subjects: ['trace'],
      service_period: month,
      feature: { key: 'tokens' },
      empty_because: [],
    });
    expect(explained.quantity).toBe('321');
    await createCharge(t, customer.id, flatCharge('1', month.to));
    const [next] = (await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201)).data;
    expect(next.lines[1]).toMatchObject({ name: 'Usage: late usage', totals: { total: '2000' } });
    const late = await all(`/billing/invoices/${next.id}/lines/${next.lines[1].id}`);
    expect(late).toMatchObject([{ value: '4000', change: 'stored' }]);
  });

  test.each([
    ['no_events', 'nothing', '', undefined],
    ['events_outside_period', 'before', 'why-before', '2026-10-15T00:00:00Z'],
    ['events_of_other_subjects', 'typo', 'why-typ0', '2026-11-10T00:00:00Z'],
  ])('why a line is empty: %s', async (code, name, subject, time) => {
    const customer = await createCustomer(t, `why-${name}`);
    await createMeteredFeature(t, `why_${name}`);
    const features = await send(t, 'GET', `/features?filter[key]=why_${name}`, undefined, 200);
    if (time !== undefined) await sendEvents(t, `why_${name}`, subject, time, [1]);
    const charge = await createCharge(t, customer.id, usageCharge(features.data[0].id, month.from, month.to));
    const json = await send(t, 'GET', `/customers/${customer.id}/charges/${charge.id}/explanation`, undefined, 200);
    expect(json.quantity).toBe('0');
    expect(json.empty_because.map((reason: { code: string }) => reason.code)).toContain(code);
  });

  test('404', async () => {
    const customer = await createCustomer(t, 'trace-404');
    for (const what of ['events', 'explanation']) {
      await send(t, 'GET', `/customers/${customer.id}/charges/${UNKNOWN_ID}/${what}`, undefined, 404);
      await send(t, 'GET', `/billing/invoices/${UNKNOWN_ID}/lines/${UNKNOWN_ID}/${what}`, undefined, 404);
    }
  });
});

describe('billing runs', () => {
  test('202: a run goes through its stages; its progress can be read', async () => {
    const customer = await createCustomer(t, 'run');
    await createCharge(t, customer.id, flatCharge('5', '2026-11-21T00:00:00Z'));
    const started = await send(t, 'POST', '/billing/runs', { full: false }, 202);
    await t.billingRuns.runner.work();
    const run = await send(t, 'GET', `/billing/runs/${started.id}`, undefined, 200);
    expect(run).toMatchObject({ stage: 'finished', failed: 0, started_by: 'api', full: false });
    expect(run.done).toBeGreaterThan(0);
    expect((await send(t, 'GET', '/billing/runs', undefined, 200)).data[0].id).toBe(started.id);
    const { data } = await send(t, 'GET', `/billing/invoices?filter[customer_id]=${customer.id}`, undefined, 200);
    expect(data).toMatchObject([{ status: 'paid', totals: { total: '5' } }]);
  });

  test('as of a day in the past it does what was due then; the future is refused', async () => {
    const customer = await createCustomer(t, 'as-of');
    await createCharge(t, customer.id, flatCharge('5', '2026-11-15T00:00:00Z'));
    await send(t, 'POST', '/billing/runs', { as_of: '2026-11-14T00:00:00Z' }, 202);
    await t.billingRuns.runner.work();
    const invoices = () => send(t, 'GET', `/billing/invoices?filter[customer_id]=${customer.id}`, undefined, 200);
    expect((await invoices()).data).toEqual([]);
    await send(t, 'POST', '/billing/runs', { as_of: '2026-11-16T00:00:00Z' }, 202);
    await t.billingRuns.runner.work();
    expect((await invoices()).data).toMatchObject([{ created_at: '2026-11-16T00:00:00Z' }]);
    await send(t, 'POST', '/billing/runs', { as_of: '2030-01-01T00:00:00Z' }, 400);
    await send(t, 'GET', `/billing/runs/${UNKNOWN_ID}`, undefined, 404);
  });

  test('a customer that cannot be billed holds up nobody, is named by the run, and is billed when it can be', async () => {
    const [broken, whole] = [await createCustomer(t, 'broken'), await createCustomer(t, 'whole')];
    for (const { id } of [broken, whole]) await createCharge(t, id, flatCharge('5', '2026-11-21T00:00:00Z'));
    const charges = withTables<{ charges: { content: string; customer_id: string } }>(t.db);
    const own = charges.selectFrom('charges').select('content').where('customer_id', '=', broken.id);
    const { content } = await own.executeTakeFirstOrThrow();
    const write = (text: string) =>
      charges.updateTable('charges').set({ content: text }).where('customer_id', '=', broken.id).execute();
    const bill = async () => {
      const { id } = await t.billingRuns.runner.request({ isFull: false, startedBy: 'schedule' });
      await t.billingRuns.runner.work();
      return send(t, 'GET', `/billing/runs/${id}`, undefined, 200);
    };
    const invoices = async ({ id }: { id: string }) =>
      (await send(t, 'GET', `/billing/invoices?filter[customer_id]=${id}`, undefined, 200)).data;
    await write('not JSON');
    expect(await bill()).toMatchObject({
      stage: 'finished',
      failed: 1,
      last_error: { stage: 'collect', item_id: broken.id, message: expect.stringContaining('JSON') },
    });
    expect(await invoices(whole)).toMatchObject([{ status: 'paid' }]);
    expect(await invoices(broken)).toEqual([]);
    await write(content);
    expect(await bill()).toMatchObject({ stage: 'finished', failed: 0 });
    expect(await invoices(broken)).toMatchObject([{ status: 'paid', totals: { total: '5' } }]);
  });

  test('an issued invoice that is not paid becomes overdue at its due date', async () => {
    const customer = await createCustomer(t, 'overdue', { labels: { 'sandbox-payment': 'failed' } });
    await useProfile(t, customer.id, { payment: { collection_method: 'send_invoice', due_after: 'P10D' } });
    await createCharge(t, customer.id, flatCharge('5', '2026-11-15T00:00:00Z'));
    const [{ id }] = (await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201)).data;
    const bill = async () => {
      await t.billingRuns.runner.request({ isFull: false, startedBy: 'schedule' });
      await t.billingRuns.runner.work();
      return (await send(t, 'GET', `/billing/invoices/${id}`, undefined, 200)).status;
    };
    expect(await bill()).toBe('payment_processing');
    t.clock.advanceMs(10 * 86_400_000);
    expect(await bill()).toBe('overdue');
    expect((await act(t, id, 'mark-uncollectible')).status).toBe('uncollectible');
  });
});
