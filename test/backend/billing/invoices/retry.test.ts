import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge, usageCharge } from '../../../support/billing/charges.ts';
import { act, extended, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';

const NOW = '2026-11-21T12:00:00Z';
const FROM = '2026-11-21T00:00:00Z';
const TO = '2026-11-21T10:00:00Z';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: NOW });
});
afterAll(() => t.close());

const codes = (invoice: { validation_issues?: { code: string }[] }) =>
  (invoice.validation_issues ?? []).map(({ code }) => code);

test('a draft without the usage of a line is looked at anew: what is missing still holds it, what is there is billed', async () => {
  const { id: featureId, meter } = await createMeteredFeature(t, 'calls');
  const customer = await createCustomer(t, 'missing');
  await sendEvents(t, 'calls', 'missing', FROM, [1, 2, 3]);
  await createCharge(t, customer.id, usageCharge(featureId, FROM, TO));
  await createCharge(t, customer.id, flatCharge('5', NOW));
  // No request takes a meter from a feature that is billed: a database that was put together by hand may lack it.
  const setMeter = (id: string | null) =>
    sql`UPDATE features SET meter_id = ${id} WHERE id = ${featureId}`.execute(t.db.kysely);
  await setMeter(null);
  const held = await invoiceNow(t, customer.id);
  expect([extended(held), codes(held)]).toEqual(['draft.invalid', ['line_usage_not_available']]);
  const still = await act(t, held.id, 'retry');
  expect([extended(still), codes(still)]).toEqual(['draft.invalid', ['line_usage_not_available']]);
  await setMeter(meter.id);
  const paid = await act(t, held.id, 'retry');
  expect([paid.status, codes(paid), paid.totals.total]).toEqual(['paid', [], '6.5']);
});

test('a correction on a draft that is held back is on it once, however often it is retried', async () => {
  const { id: featureId } = await createMeteredFeature(t, 'late');
  const customer = await createCustomer(t, 'held');
  await sendEvents(t, 'late', 'held', FROM, [1]);
  await createCharge(t, customer.id, usageCharge(featureId, FROM, TO));
  expect((await invoiceNow(t, customer.id)).totals.total).toBe('0.5');
  await sendEvents(t, 'late', 'held', FROM, [2, 3]);
  await useProfile(t, customer.id, { tax: { enforced: true } });
  await createCharge(t, customer.id, flatCharge('5', NOW));
  const held = await invoiceNow(t, customer.id);
  expect([extended(held), held.lines.length, held.totals.total]).toEqual(['draft.invalid', 2, '6']);
  const still = await act(t, held.id, 'retry');
  expect([extended(still), codes(still)]).toEqual(['draft.invalid', ['tax_not_calculated']]);
  await send(t, 'PUT', `/customers/${customer.id}/billing`, {}, 200);
  const paid = await act(t, held.id, 'retry');
  expect([paid.status, paid.lines.length, paid.totals.total]).toEqual(['paid', 2, '6']);
});
