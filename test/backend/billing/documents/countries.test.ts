import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { glyphsOf, hasPdfReader, textOfPdf, withoutBlanks } from '../invoices/pdf-reader.ts';
import { COUNTRIES } from './countries.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
const folder = mkdtempSync(join(tmpdir(), 'countries-'));
beforeAll(async () => {
  t = await createTestBackend({ start: NOW });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await t.close();
});

async function documentOf(invoiceId: string, query: string): Promise<Uint8Array> {
  const path = `/v3/openmeter/billing/invoices/${invoiceId}/document?${query}`;
  const answer = await t.app.request(path, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

test.skipIf(!hasPdfReader).each(COUNTRIES)(
  '$country ($language): what was entered is what is read, no glyph is a box, and each page is a picture (needs poppler)',
  async ({ country, language, name, city, line1, currency, amount, item }) => {
    const address = { country, city, line1 };
    const { id } = await createCustomer(t, `c-${country.toLowerCase()}`, { name, currency, billing_address: address });
    if (language !== undefined) await send(t, 'PUT', `/customers/${id}/document-settings`, { language }, 200);
    const rate = { name: `Tax ${country}`, country, category: 'standard', percentage: '10' };
    await send(t, 'POST', '/tax-rates', rate, 201);
    const fee = { name: item, currency, amount_before_proration: { amount, currency } };
    await createCharge(t, id, flatCharge(amount, NOW, fee));
    const { id: invoiceId, totals } = await invoiceNow(t, id);
    const pdf = await documentOf(invoiceId, 'format=pdf');
    expect(glyphsOf(pdf)).not.toContain(0);
    const found = await textOfPdf(pdf);
    const words = [name, city, line1, item].flatMap((text) => text.split(/[\s()]+/)).map(withoutBlanks);
    expect(words.filter((word) => !found.includes(word))).toEqual([]);
    // To the last digit what the API says: digits are 0 to 9 in every language.
    for (const money of [totals.amount, totals.taxes_total, totals.total]) {
      expect(found.replaceAll(/[^0-9]/g, '')).toContain(money.replace('.', ''));
    }
    const file = join(folder, `${country}.pdf`);
    writeFileSync(file, pdf);
    execFileSync('pdftoppm', ['-r', '60', '-png', file, join(folder, country)]);
    const pictures = readdirSync(folder).filter((picture) => picture.startsWith(country) && picture.endsWith('.png'));
    expect(pictures).toHaveLength(1);
    expect(statSync(join(folder, pictures[0] ?? '')).size).toBeGreaterThan(5000);
  },
);
