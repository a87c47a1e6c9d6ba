import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
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

const SUPPLIER = {
  name: 'Metrix GmbH',
  tax_id: { code: 'DE136695976' },
  addresses: { billing_address: { country: 'DE', city: 'Berlin' } },
};
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
type Json = any;

const rate = (body: object): Promise<Json> => send(t, 'POST', '/tax-rates', body, 201);
let customers = 0;

/** A customer in a country, billed by a supplier in Germany. */
async function customerIn(country: string | undefined, tax?: object, workflow: object = {}, fields: object = {}) {
  customers += 1;
  const address = country === undefined ? {} : { billing_address: { country } };
  const customer = await createCustomer(t, `c${customers}`, { ...address, ...fields });
  const profile = await useProfile(t, customer.id, workflow);
  const { id, created_at: _, updated_at: __, apps: ___, ...kept } = profile;
  await send(t, 'PUT', `/profiles/${id}`, { ...kept, supplier: SUPPLIER }, 200);
  if (tax !== undefined)
    await send(t, 'PUT', `/customers/${customer.id}/tax`, { tax_ids: [], status: 'taxable', ...tax }, 200);
  return customer.id as string;
}

async function invoiceOf(customerId: string, amounts: readonly string[], config: object = {}, fields: object = {}) {
  for (const amount of amounts) await createCharge(t, customerId, flatCharge(amount, NOW, { ...config, ...fields }));
  return invoiceNow(t, customerId);
}

const taxesOf = async (id: string) => (await send(t, 'GET', `/billing/invoices/${id}/taxes`, undefined, 200)).taxes;
const sumOf = (invoice: Json, field: string) =>
  invoice.lines.reduce((sum: bigint, line: Json) => sum + cents(line.totals[field]), 0n);
const cents = (text: string) => BigInt(Math.round(Number(text) * 100));

describe('one rate of a country', () => {
  beforeAll(async () => {
    await rate({ name: 'USt 19 %', country: 'DE', category: 'standard', percentage: '19' });
  });

  test('is added to prices, rounded once, and shared out to the lines', async () => {
    const invoice = await invoiceOf(await customerIn('DE'), ['1.05', '1.05', '1.05']);
    // 3.15 × 19 % = 0.5985: line by line it would be 0.20 × 3.
    expect(invoice.totals).toMatchObject({
      amount: '3.15',
      taxes_total: '0.6',
      taxes_exclusive_total: '0.6',
      taxes_inclusive_total: '0',
      total: '3.75',
    });
    expect(invoice.lines.map((line: Json) => line.totals.taxes_total)).toEqual(['0.2', '0.2', '0.2']);
    expect(await taxesOf(invoice.id)).toEqual([
      { name: 'USt 19 %', category: 'standard', percentage: '19', base: '3.15', amount: '0.6' },
    ]);
    const odd = await invoiceOf(await customerIn('DE'), ['0.03', '0.03', '0.03']);
    expect(odd.lines.map((line: Json) => line.totals.taxes_total)).toEqual(['0.01', '0', '0.01']);
    expect([odd.totals.taxes_total, odd.totals.total]).toEqual(['0.02', '0.11']);
  });

  test('is part of prices that include it', async () => {
    const config = { tax_config: { behavior: 'inclusive' } };
    const invoice = await invoiceOf(await customerIn('DE'), ['119', '10'], config);
    expect(invoice.totals).toMatchObject({
      amount: '129',
      taxes_total: '20.6',
      taxes_inclusive_total: '20.6',
      taxes_exclusive_total: '0',
      total: '129',
    });
    expect((await taxesOf(invoice.id))[0]).toMatchObject({ base: '108.4', amount: '20.6' });
  });

  test.each([
    { currency: 'JPY', amounts: ['105', '105', '105'], taxes: '60', total: '375' },
    { currency: 'KWD', amounts: ['0.333', '0.333', '0.333'], taxes: '0.19', total: '1.189' },
  ])('has the digits of $currency', async ({ currency, amounts, taxes, total }) => {
    const id = await customerIn('DE', undefined, {}, { currency });
    const own = amounts.map((amount) => ({ amount_before_proration: { amount, currency }, currency }));
    for (const fields of own) await createCharge(t, id, flatCharge('0', NOW, fields));
    const { totals } = await invoiceNow(t, id);
    expect([totals.taxes_total, totals.total]).toEqual([taxes, total]);
  });

  test('the preview has the taxes that the invoice gets; discounts are not taxed', async () => {
    const id = await customerIn('DE');
    await createCharge(t, id, flatCharge('100', NOW, { discounts: { percentage: 10 } }));
    const preview = await send(t, 'GET', `/customers/${id}/invoice-preview`, undefined, 200);
    const invoice = await invoiceNow(t, id);
    expect(preview.totals).toEqual(invoice.totals);
    expect(invoice.totals).toMatchObject({ amount: '100', discounts_total: '10', taxes_total: '17.1', total: '107.1' });
    expect(invoice.lines[0].detailed_lines[0].totals.taxes_total).toBe('17.1');
  });

  test('what credit pays is not taxed', async () => {
    const id = await customerIn('DE');
    const grant = { name: 'Gift', amount: '40', currency: 'USD', funding_method: 'none' };
    await send(t, 'POST', `/customers/${id}/credits/grants`, grant, 201);
    const { totals } = await invoiceOf(id, ['100']);
    expect(totals).toMatchObject({ amount: '100', credits_total: '40', taxes_total: '11.4', total: '71.4' });
  });

  test('none where the profile has taxes off, and none elsewhere', async () => {
    expect((await invoiceOf(await customerIn('DE', undefined, { tax: { enabled: false } }), ['5'])).totals.total).toBe(
      '5',
    );
    const abroad = await invoiceOf(await customerIn('US'), ['5']);
    expect([abroad.totals.total, await taxesOf(abroad.id)]).toEqual(['5', []]);
  });

  test('a draft follows a rate and the customer until it is issued, and never after', async () => {
    const id = await customerIn('PL', undefined, { tax: { enforced: true } });
    const held = await invoiceOf(id, ['10']);
    expect([extended(held), held.validation_issues[0].code]).toEqual(['draft.invalid', 'tax_not_calculated']);
    expect(held.validation_issues[0].message).toContain('PL');
    const { id: rateId, ...added } = await rate({ name: 'VAT', country: 'PL', category: 'standard', percentage: '23' });
    const issued = await act(t, held.id, 'retry');
    expect([issued.status, issued.totals.total]).toEqual(['paid', '12.3']);
    const { created_at: _, updated_at: __, ...body } = added;
    await send(t, 'PUT', `/tax-rates/${rateId}`, { ...body, percentage: '25' }, 200);
    expect((await getInvoice(t, held.id)).totals.total).toBe('12.3');
    expect((await invoiceOf(id, ['10'])).totals.total).toBe('12.5');
    await send(t, 'DELETE', `/tax-rates/${rateId}`, undefined, 204);
    expect((await invoiceOf(id, ['10'])).validation_issues[0].code).toBe('tax_not_calculated');
  });
});

describe('who is taxed', () => {
  const VAT_FR = [{ type: 'vat', value: 'FR 40 303 265 045' }];
  test('a business in another member state owes the tax itself; a consumer there does not', async () => {
    await rate({ name: 'TVA', country: 'FR', category: 'standard', percentage: '20' });
    const business = await invoiceOf(await customerIn('FR', { tax_ids: VAT_FR }), ['10']);
    expect(business.totals).toMatchObject({ taxes_total: '0', total: '10' });
    expect(await taxesOf(business.id)).toEqual([
      { name: 'Reverse charge', category: 'reverse_charge', percentage: '0', base: '10', amount: '0' },
    ]);
    expect((await invoiceOf(await customerIn('FR'), ['10'])).totals.total).toBe('12');
  });

  test('an exempt customer is asked for none, and the invoice says why', async () => {
    const exempt = await invoiceOf(await customerIn('DE', { status: 'exempt', reason: '§ 4 UStG' }), ['10']);
    expect((await taxesOf(exempt.id))[0]).toMatchObject({ category: 'exempt', reason: '§ 4 UStG', amount: '0' });
  });

  test('the code of what is sold and the kind of customer decide between rates of a country', async () => {
    const { id: code } = await send(t, 'POST', '/tax-codes', { key: 'books', name: 'Books', app_mappings: [] }, 201);
    await rate({ name: 'IVA', country: 'ES', category: 'standard', percentage: '21' });
    await rate({ name: 'IVA 4', country: 'ES', tax_code: { id: code }, category: 'standard', percentage: '4' });
    await rate({ name: 'B2B', country: 'ES', customer_kind: 'business', category: 'standard', percentage: '10' });
    await rate({ name: 'World', category: 'outside_scope', percentage: '0', reason: 'Not subject to VAT' });
    const consumer = await customerIn('ES');
    const books = { tax_config: { behavior: 'exclusive', tax_code: { id: code } } };
    await createCharge(t, consumer, flatCharge('100', NOW, books));
    const mixed = await invoiceOf(consumer, ['100']);
    expect((await taxesOf(mixed.id)).map(({ percentage, amount }: Json) => [percentage, amount])).toEqual([
      ['21', '21'],
      ['4', '4'],
    ]);
    expect(sumOf(mixed, 'total')).toBe(cents(mixed.totals.total));
    const shop = await customerIn('ES', { tax_ids: [{ type: 'other', value: '4711' }] });
    expect((await invoiceOf(shop, ['100'])).totals.total).toBe('110');
    expect((await taxesOf((await invoiceOf(await customerIn('US'), ['1'])).id))[0].category).toBe('outside_scope');
  });

  test('what cannot be is refused', async () => {
    const { id } = await createCustomer(t, 'refused');
    const wrong = { status: 'taxable', tax_ids: [{ type: 'vat', value: 'DE123456789' }] };
    const answer = await t.request('PUT', `/customers/${id}/tax`, { body: wrong });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('tax_ids.0.value')]);
    const france = { name: 'Again', country: 'FR', category: 'standard', percentage: '5' };
    await send(t, 'POST', '/tax-rates', france, 409);
    for (const percentage of ['0', 'a fifth', '-1', '100.5', '1e1', '19.12345']) {
      await send(t, 'POST', '/tax-rates', { ...france, country: 'IT', percentage }, 400);
    }
    await send(t, 'POST', '/tax-rates', { ...france, country: 'IT', category: 'exempt' }, 400);
    const code = { id: '01HZZZZZZZZZZZZZZZZZZZZZZZ' };
    await send(t, 'POST', '/tax-rates', { ...france, country: 'IT', tax_code: code }, 400);
  });
});
