/** Work that needs more readings of usage than queries may wait before the store (100): its own must not be refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, usageCharge } from '../../../support/billing/charges.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const LINES = 150;
const CUSTOMERS = 60;
const METERS = 131;

let t: TestBackend;
// biome-ignore lint/suspicious/noExplicitAny: answers are held against the contract
let features: any[];
beforeAll(async () => {
  t = await createTestBackend({ start: '2026-01-01T00:00:00Z' });
  features = [await createMeteredFeature(t, 'calls'), await createMeteredFeature(t, 'pages')];
});
afterAll(() => t.close());

test('a preview and the invoice of 150 metered lines', async () => {
  const customer = await createCustomer(t, 'many-lines');
  await sendEvents(t, 'calls', 'many-lines', '2026-01-10T00:00:00Z', [1, 2]);
  const price = { price: { type: 'unit', amount: '1' } };
  for (let line = 0; line < LINES; line++) {
    // Periods that differ, and with them the readings.
    const to = new Date(Date.parse('2026-01-20T00:00:00Z') + line * 60_000).toISOString();
    const charge = usageCharge(features[0].id, '2026-01-01T00:00:00Z', to, {
      ...price,
      invoice_at: '2026-02-01T00:00:00Z',
    });
    await createCharge(t, customer.id, charge);
  }
  const preview = await send(t, 'GET', `/customers/${customer.id}/invoice-preview`, undefined, 200);
  expect([preview.lines.length, preview.totals.total]).toEqual([LINES, '300']);
  t.clock.set('2026-02-03T00:00:00Z');
  const { data } = await send(t, 'POST', `/customers/${customer.id}/invoices`, {}, 201);
  expect(data.map((invoice: { totals: unknown; lines: unknown[] }) => [invoice.lines.length, invoice.totals])).toEqual([
    [LINES, expect.objectContaining({ total: '300' })],
  ]);
  expect(data[0].status_details.extended_status).not.toBe('draft.created');
});

const metered = (feature: { id: string }) => ({
  type: 'metered',
  feature: { id: feature.id },
  usage_period: { interval: 'P1M' },
  issue: { amount: '10' },
});

test('an hourly history of 120 windows', async () => {
  const customer = await createCustomer(t, 'many-windows');
  const entitlement = await send(t, 'POST', `/customers/${customer.id}/entitlements`, metered(features[1]), 201);
  await sendEvents(t, 'pages', 'many-windows', '2026-02-04T06:30:00Z', [1, 2, 3]);
  t.clock.set('2026-02-08T00:00:00Z');
  const path = `/customers/${customer.id}/entitlements/${entitlement.id}/history?window_size=PT1H`;
  const { windowed_history: windows } = await send(t, 'GET', path, undefined, 200);
  expect(windows).toHaveLength(120);
  expect(windows[30]).toMatchObject({ period: { from: '2026-02-04T06:00:00Z' }, usage: '3', balance_at_start: '10' });
  expect(windows[31]).toMatchObject({ usage: '0', balance_at_start: '7' });
});

test('the access of 60 customers, each with a period of its own, to 2 features', async () => {
  const keys: string[] = [];
  for (let index = 0; index < CUSTOMERS; index++) {
    t.clock.advanceMs(60_000);
    keys.push(`access-${index}`);
    const customer = await createCustomer(t, `access-${index}`);
    for (const feature of features)
      await send(t, 'POST', `/customers/${customer.id}/entitlements`, metered(feature), 201);
  }
  const body = { customer: { keys }, feature: { keys: ['calls', 'pages'] } };
  const { data } = await send(t, 'POST', '/entitlement-access/query?page[size]=100', body, 200);
  expect(data).toHaveLength(CUSTOMERS);
  for (const { features: access } of data)
    expect(access).toEqual({ calls: { has_access: true }, pages: { has_access: true } });
});

test('the usage totals of 131 meters', async () => {
  for (let index = 2; index < METERS; index++) {
    const key = `meter_${index}`;
    await send(t, 'POST', '/meters', { key, name: key, event_type: key, aggregation: 'count' }, 201);
  }
  const { data } = await send(t, 'GET', '/usage-totals?subject=many-lines', undefined, 200);
  expect(data).toHaveLength(METERS);
  expect(data.filter(({ value }: { value?: string }) => value === '2')).toHaveLength(1);
});
