import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fee, openStory, usage } from '../../../scenarios/billing/story.ts';
import { codeOf, send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { act, extended, getInvoice, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: NOW });
});
afterAll(() => t.close());

describe('what subscriptions are billed', () => {
  const JAN = '2026-01-01T00:00:00Z';
  const SETTINGS = [
    { setting: 'nothing', workflow: {}, total: '1.29' },
    {
      setting: 'subscription_end_proration_mode',
      workflow: { invoicing: { subscription_end_proration_mode: 'bill_full_period' } },
      total: '10',
    },
  ];
  test.each(SETTINGS)('a month that is cut short: $setting', async ({ workflow, total }) => {
    const s = await openStory(JAN);
    try {
      await useProfile(s.backend, s.customer.id, workflow);
      const sold = await s.subscribe(await s.plan('p', [fee('10', { payment_term: 'in_arrears' })]));
      s.backend.clock.set('2026-01-05T00:00:00Z');
      await s.ok('POST', `/subscriptions/${sold.id}/cancel`, { timing: 'immediate' });
      await s.at('2026-02-02T00:00:00Z');
      expect((await s.invoices()).map((invoice) => invoice.totals.total)).toEqual([total]);
    } finally {
      await s.close();
    }
  });

  test.each([true, false])(
    'progressive_billing %s: usage of a running quarter beside the month',
    async (isProgressive) => {
      const s = await openStory(JAN);
      try {
        await useProfile(s.backend, s.customer.id, { invoicing: { progressive_billing: isProgressive } });
        const quarterly = usage('1', { billing_cadence: 'P3M' });
        await s.subscribe(await s.plan('p', [quarterly, fee('10', { payment_term: 'in_arrears' })]));
        await s.events('2026-01-20T00:00:00Z', 3);
        await s.at('2026-02-01T01:00:00Z');
        const [first] = await s.invoices();
        expect(first.totals.total).toBe(isProgressive ? '13' : '10');
      } finally {
        await s.close();
      }
    },
  );
});

describe('taxes', () => {
  const taxOf = (invoice: { lines: [{ rate_card: { tax_config?: unknown } }] }) =>
    invoice.lines[0].rate_card.tax_config;
  const taxCode = async (key: string): Promise<string> =>
    (await send(t, 'POST', '/tax-codes', { key, name: key, app_mappings: [] }, 201)).id;
  const PROVIDER_DEFAULT = '00000000000000000000000001';

  test('the behavior of the profile is that of lines that have none; a code of their own stays', async () => {
    const own = await taxCode('own');
    const customer = await createCustomer(t, 'behavior');
    const tax = { default_tax_config: { behavior: 'inclusive' } };
    await useProfile(t, customer.id, { tax });
    await createCharge(t, customer.id, flatCharge('5', NOW));
    expect(taxOf(await invoiceNow(t, customer.id))).toEqual({ behavior: 'inclusive', code: { id: PROVIDER_DEFAULT } });
    const config = { tax_config: { behavior: 'exclusive', tax_code: { id: own } } };
    await createCharge(t, customer.id, flatCharge('5', NOW, config));
    expect(taxOf(await invoiceNow(t, customer.id))).toEqual({ behavior: 'exclusive', code: { id: own } });
    const charge = await createCharge(t, customer.id, flatCharge('5', NOW, { tax_config: { behavior: 'exclusive' } }));
    expect(charge.tax_config).toEqual({ behavior: 'exclusive' });
    expect(taxOf(await invoiceNow(t, customer.id))).toEqual({ behavior: 'exclusive', code: { id: PROVIDER_DEFAULT } });
  });

  test("the organization's code is that of lines that have none, unless taxes are off", async () => {
    const chosen = await taxCode('chosen');
    const [on, off] = [await createCustomer(t, 'code-on'), await createCustomer(t, 'code-off')];
    await useProfile(t, off.id, { tax: { enabled: false, default_tax_config: { behavior: 'inclusive' } } });
    await send(t, 'PUT', '/defaults/tax-codes', { invoicing_tax_code: { id: chosen } }, 200);
    for (const { id } of [on, off]) await createCharge(t, id, flatCharge('5', NOW));
    expect(taxOf(await invoiceNow(t, on.id))).toEqual({ code: { id: chosen } });
    expect(taxOf(await invoiceNow(t, off.id))).toBeUndefined();
    await send(t, 'PUT', '/defaults/tax-codes', { invoicing_tax_code: { id: PROVIDER_DEFAULT } }, 200);
  });

  test('enforced in the sandbox: no invoice is issued until it is off again; what costs nothing is', async () => {
    const customer = await createCustomer(t, 'enforced');
    const profile = await useProfile(t, customer.id, { tax: { enforced: true } });
    await createCharge(t, customer.id, flatCharge('5', NOW));
    const held = await invoiceNow(t, customer.id);
    expect([extended(held), held.validation_issues[0].code]).toEqual(['draft.invalid', 'tax_not_calculated']);
    expect(extended(await act(t, held.id, 'retry'))).toBe('draft.invalid');
    await createCharge(t, customer.id, flatCharge('0', NOW));
    expect((await invoiceNow(t, customer.id)).status).toBe('paid');
    const { id, created_at: _, updated_at: __, apps: ___, ...kept } = profile;
    await send(t, 'PUT', `/profiles/${id}`, { ...kept, workflow: {} }, 200);
    expect((await act(t, held.id, 'retry')).status).toBe('paid');
  });

  test('enforced with an external system: it needs the country of the customer', async () => {
    const install = { type: 'external_invoicing', name: 'ERP', create_billing_profile: false };
    const { app } = await send(t, 'POST', '/app-catalog/install', install, 201);
    const customer = await createCustomer(t, 'location');
    await useProfile(t, customer.id, { tax: { enforced: true } }, app.id);
    await createCharge(t, customer.id, flatCharge('5', NOW));
    const held = await invoiceNow(t, customer.id);
    expect(extended(held)).toBe('draft.invalid');
    const { workflow } = held.workflow;
    const { due_after: _, ...invoicing } = workflow.invoicing;
    const body = {
      type: 'standard',
      supplier: held.supplier,
      customer: { ...held.customer, billing_address: { country: 'DE' } },
      workflow: { workflow: { invoicing, payment: workflow.payment } },
    };
    await send(t, 'PUT', `/billing/invoices/${held.id}`, body, 200);
    expect((await getInvoice(t, held.id)).status).toBe('payment_processing');
  });

  test('409: nothing that is paid by invoice is sold where taxes are enforced and cannot be computed', async () => {
    const s = await openStory(NOW);
    try {
      await useProfile(s.backend, s.customer.id, { tax: { enforced: true } });
      const free = { ...fee('0'), price: { type: 'free' } };
      const offer = await s.addon('seat', [fee('2', { key: 'seat', name: 'Seat' })]);
      const [paid, unpaid] = [await s.plan('paid', [fee('10')]), await s.plan('free', [free], { addons: [offer] })];
      const buyer = { customer: { id: s.customer.id }, plan: { id: paid.id } };
      const refused = await send(s.backend, 'POST', '/subscriptions', buyer, 409);
      expect(codeOf(refused)).toBe('invalid_billing_setup');
      const sold = await s.subscribe(unpaid);
      const path = `/subscriptions/${sold.id}`;
      await send(s.backend, 'POST', `${path}/change`, { ...buyer, timing: 'immediate' }, 409);
      const addon = { addon: { id: offer.id }, quantity: 1, timing: 'immediate' };
      expect(codeOf(await send(s.backend, 'POST', `${path}/addons`, addon, 409))).toBe('invalid_billing_setup');
      await send(s.backend, 'PUT', `/customers/${s.customer.id}/billing`, {}, 200);
      await send(s.backend, 'POST', `${path}/change`, { ...buyer, timing: 'immediate' }, 200);
    } finally {
      await s.close();
    }
  });
});
