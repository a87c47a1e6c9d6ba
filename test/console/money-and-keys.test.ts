import { afterEach, expect, test } from 'vitest';
import { formatsOf } from '../../backend/billing/invoice-documents/formats.ts';
import { FIAT_CURRENCIES } from '../../backend/platform/currencies.ts';
import { digitsOf, setCustomDigits } from '../../console/shared/currency-digits.ts';
import { countOf, formatDecimal, formatExplanation, formatMoney } from '../../console/shared/format.ts';
import { customerKeyOf, keyOf } from '../../console/shared/key-of-name.ts';

const locale = new Intl.NumberFormat().resolvedOptions().locale;
afterEach(() => setCustomDigits(new Map()));

test('money has the digits of its currency, and is written as on the document', () => {
  const amounts = ['0', '6000', '1234.5', '-5', '0.00000075', '123456789012345678901234.125'];
  for (const currency of FIAT_CURRENCIES) {
    expect(digitsOf(currency.code), currency.code).toBe(currency.digits);
    const { money } = formatsOf(locale, currency);
    for (const amount of amounts) expect(formatMoney(amount, currency.code)).toBe(money(amount));
  }
  setCustomDigits(new Map([['CREDITS', 1]]));
  const { money } = formatsOf(locale, { code: 'CREDITS', digits: 1 });
  for (const amount of ['3', '0.125']) expect(formatMoney(amount, 'CREDITS')).toBe(money(amount));
});

test('numbers are exact, counts have their plurals, explanations read as the rest', () => {
  expect(formatDecimal('12345678901234567890.10').replace(/\D/g, '')).toBe('1234567890123456789010');
  expect(formatDecimal('half')).toBe('half');
  expect([countOf(1, 'event'), countOf(0, 'event'), countOf(2, 'log entry', 'log entries')]).toEqual([
    '1 event',
    '0 events',
    '2 log entries',
  ]);
  expect(formatExplanation('4000 × 2 JPY = 8000 JPY on 2026-01-01', 'JPY')).toBe(
    `${formatDecimal('4000')} × ${formatMoney('2', 'JPY')} = ${formatMoney('8000', 'JPY')} on 2026-01-01`,
  );
});

test.each([
  ['Gebühr für Zürich', 'gebuehr_fuer_zuerich'],
  ['API Gateway Requests', 'api_gateway_requests'],
  ['Größe (XL).', 'groesse_xl'],
  ['Café crème', 'cafe_creme'],
  ['Плата за вызов', 'plata_za_vyzov'],
  ['«Ünal & Söhne»', 'uenal_soehne'],
  [`${'x'.repeat(63)} y`, 'x'.repeat(63)],
  ['料金', ''],
])('the key of %j is %j', (name, key) => {
  expect(keyOf(name)).toBe(key);
});

test.each([
  ['Acme Inc.', 'acme-inc'],
  ['Müller & Söhne GmbH', 'mueller-soehne-gmbh'],
  ["O'Brien Ltd", 'obrien-ltd'],
  ['株式会社 山田', '株式会社-山田'],
])('the key of the customer %j is %j', (name, key) => {
  expect(customerKeyOf(name)).toBe(key);
});
