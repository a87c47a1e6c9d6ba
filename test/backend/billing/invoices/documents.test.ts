import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatsOf } from '../../../../backend/billing/invoice-documents/formats.ts';
import { send, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend();
});
afterAll(() => t.close());

async function page(customer: Record<string, unknown>, query = '') {
  const { id } = await createCustomer(t, `c-${JSON.stringify(customer).length}-${query}`, customer);
  await createCharge(t, id, flatCharge('1234.5', NOW, { name: 'Setup', discounts: { percentage: 10 } }));
  const invoice = await invoiceNow(t, id);
  return t.request('GET', `/billing/invoices/${invoice.id}/document${query}`);
}

test("money and dates are written as in the customer's country", async () => {
  const { status, text, headers } = await page({
    name: 'Müller GmbH',
    billing_address: { country: 'DE', city: 'Berlin', postal_code: '10115', line1: 'Allee 1' },
  });
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/html/);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  for (const expected of [
    '1.234,50\u00a0$',
    '123,45\u00a0$',
    '1.111,05\u00a0$',
    '21.11.2026',
    'Allee 1',
    '10115 Berlin',
  ]) {
    expect(text).toContain(expected);
  }
});

test('a locale may be asked for; without a country it is English', async () => {
  expect((await page({ name: 'English' })).text).toContain('$1,111.05');
  expect((await page({ name: 'French' }, '?locale=fr-FR')).text).toContain('1\u202f111,05\u00a0$');
  expect((await page({ name: 'Nobody speaks it' }, '?locale=de_DE')).status).toBe(400);
});

test('a name is text, whatever it looks like', async () => {
  const { text } = await page({ name: '<script>alert("x")</script> & Co' });
  expect(text).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Co');
  expect(text).not.toContain('<script>');
});

test('as a PDF', async () => {
  const answer = await page({ name: 'Łódź & Söhne' }, '?format=pdf');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/pdf');
  expect(answer.text.slice(0, 5)).toBe('%PDF-');
  expect(answer.text.trimEnd().endsWith('%%EOF')).toBe(true);
  expect((await page({ name: 'No such form' }, '?format=docx')).status).toBe(400);
});

test('404 for an invoice that is not there', async () => {
  await send(t, 'GET', `/billing/invoices/${UNKNOWN_ID}/document`, undefined, 404);
});

test('a custom currency is written with its digits and its code, which no locale knows', () => {
  const credits = formatsOf('de', { code: 'CREDITS', digits: 1 });
  expect(['1234.5', '-2', '0.333'].map(credits.money)).toEqual(['1.234,5 CREDITS', '-2,0 CREDITS', '0,333 CREDITS']);
  expect(formatsOf('en', { code: 'JPY', digits: 0 }).money('1234')).toBe('¥1,234');
});
