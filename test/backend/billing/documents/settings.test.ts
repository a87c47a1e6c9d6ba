import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { act, invoiceNow, useProfile } from '../../../support/billing/invoices.ts';
import { createMeteredFeature } from '../../../support/catalog/features.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { sendEvents } from '../../../support/metering/events.ts';
import { hasPdfReader, textOfPdf, withoutBlanks } from '../invoices/pdf-reader.ts';

const NOW = '2026-11-21T12:00:00Z';
let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend({ start: NOW });
});
afterAll(() => t.close());

async function file(invoiceId: string, query = ''): Promise<Uint8Array> {
  const path = `/v3/openmeter/billing/invoices/${invoiceId}/document${query}`;
  const answer = await t.app.request(path, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}
const page = async (id: string, query = '') => new TextDecoder().decode(await file(id, query));

/** A picture of one point. */
function logo(): string {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, body, Buffer.alloc(4)]);
  };
  const head = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const parts = [
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.from([0, 255, 0, 0]))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return `data:image/png;base64,${Buffer.concat(parts).toString('base64')}`;
}

async function customerWith(
  key: string,
  document: object,
  own: object = {},
  fields: Record<string, unknown> = {},
  workflow = {},
) {
  const { id } = await createCustomer(t, key, fields);
  const profile = await useProfile(t, id, workflow);
  await send(t, 'PUT', `/profiles/${profile.id}/document-settings`, document, 200);
  await send(t, 'PUT', `/customers/${id}/document-settings`, own, 200);
  return { id: id as string, profileId: profile.id as string };
}

const SETTINGS = {
  language: 'de',
  registration: 'HRB 12345, Amtsgericht Berlin',
  contact: 'billing@metrix.example',
  payment_instructions: 'IBAN DE02 1203 0000 0000 2020 51\nBitte die Nummer angeben.',
  terms: 'Zahlbar ohne Abzug.',
  footer: 'Metrix GmbH, Berlin',
};

describe('what a document says', () => {
  test('everything that its settings have, in the language that was agreed', async () => {
    const own = { purchase_order: 'PO-7788', buyer_reference: '04011000-12345-67', contact: 'Frau Sommer' };
    const { id } = await customerWith('full', { ...SETTINGS, logo: logo() }, own);
    await createCharge(t, id, flatCharge('10', NOW));
    const invoice = await invoiceNow(t, id);
    const html = await page(invoice.id);
    const { logo: _, language, ...texts } = { ...SETTINGS, logo: '' };
    for (const text of [...Object.values(texts).flatMap((one) => one.split('\n')), ...Object.values(own)]) {
      expect(html).toContain(text);
    }
    expect(html).toContain(`<html lang="${language}"`);
    expect(html).toContain('src="data:image/png;base64,');
    for (const word of ['Rechnung an', 'Bestellnummer', 'Leistungszeitraum', 'Gesamtbetrag'])
      expect(html).toContain(word);
    // A customer's own language comes first, and one that is asked for before all.
    await send(t, 'PUT', `/customers/${id}/document-settings`, { language: 'he' }, 200);
    await createCharge(t, id, flatCharge('10', NOW));
    const hebrew = await page((await invoiceNow(t, id)).id);
    expect(hebrew).toContain('<html lang="he" dir="rtl"');
    expect(await page(invoice.id, '?locale=fr')).toContain('Facturé à');
  });

  test.skipIf(!hasPdfReader)(
    'each page has its number and that of the invoice; it has a structure (needs pdftotext)',
    async () => {
      const { id } = await customerWith('pages', { ...SETTINGS, page_size: 'letter', language: 'en', logo: logo() });
      for (let count = 0; count < 60; count++)
        await createCharge(t, id, flatCharge('1', NOW, { name: `Fee ${count}` }));
      const invoice = await invoiceNow(t, id);
      const pdf = await file(invoice.id, '?format=pdf');
      const raw = Buffer.from(pdf).toString('latin1');
      const pages = raw.match(/\/Type \/Page\n/g)?.length ?? 0;
      expect(pages).toBeGreaterThan(2);
      const text = await textOfPdf(pdf);
      for (let at = 1; at <= pages; at++) expect(text).toContain(`Page${at}of${pages}`);
      expect(text.split(withoutBlanks(`Metrix GmbH, Berlin · Invoice ${invoice.number}`)).length - 1).toBe(pages);
      // The head of the table stands on each page that lines are on.
      expect(text.split('ItemQuantityUnitpriceAmount').length).toBeGreaterThan(2);
      for (const part of [
        '/MediaBox [0 0 612 792]',
        '/StructTreeRoot',
        '/Marked true',
        '/S /Table',
        '/S /TH',
        '/S /H1',
      ]) {
        expect(raw).toContain(part);
      }
    },
  );

  test('usage with its units, and tiers in words', async () => {
    const feature = await createMeteredFeature(t, 'llm_tokens', 'sum');
    const { id } = await customerWith('units', {});
    const [from, to] = ['2026-11-01T00:00:00Z', '2026-11-21T00:00:00Z'];
    await sendEvents(t, 'llm_tokens', 'units', '2026-11-02T00:00:00Z', [349_418]);
    const charge = (price: object) => ({
      type: 'usage_based',
      name: 'Tokens',
      currency: 'USD',
      invoice_at: to,
      service_period: { from, to },
      settlement_mode: 'credit_then_invoice',
      feature_id: feature.id,
      price,
    });
    const tiers = [
      { up_to_amount: '1000', unit_price: { type: 'unit', amount: '0.01' } },
      { up_to_amount: '200000', unit_price: { type: 'unit', amount: '0.001' } },
      { unit_price: { type: 'unit', amount: '0.0005' } },
    ];
    await createCharge(t, id, charge({ type: 'graduated', tiers }));
    const invoice = await invoiceNow(t, id, {});
    const html = await page(invoice.id);
    for (const text of [
      '349,418 llm tokens',
      'up to 1,000',
      'over 1,000 up to 200,000',
      'over 200,000',
      'Nov 1, 2026 – Nov 20, 2026',
    ]) {
      expect(html).toContain(text);
    }
  });

  test('that a draft is none, and that a void one is void', async () => {
    const workflow = { invoicing: { auto_advance: false }, payment: { collection_method: 'send_invoice' } };
    const { id } = await customerWith('marks', {}, {}, { labels: { 'sandbox-payment': 'pending' } }, workflow);
    await createCharge(t, id, flatCharge('10', NOW));
    const draft = await invoiceNow(t, id);
    expect(await page(draft.id)).toContain('Draft – not an invoice');
    await act(t, draft.id, 'approve');
    expect(await page(draft.id)).not.toContain('class="mark">');
    await act(t, draft.id, 'void');
    expect(await page(draft.id)).toContain('class="mark">Void');
  });
});

test('the document of an issued invoice is made once, whatever changes later', async () => {
  const { id, profileId } = await customerWith('kept', SETTINGS);
  await createCharge(t, id, flatCharge('10', NOW));
  const invoice = await invoiceNow(t, id);
  const [first, html] = [await file(invoice.id, '?format=pdf'), await page(invoice.id)];
  await send(t, 'PUT', `/profiles/${profileId}/document-settings`, { language: 'fr', logo: logo() }, 200);
  expect(Buffer.from(await file(invoice.id, '?format=pdf')).equals(Buffer.from(first))).toBe(true);
  expect(await page(invoice.id)).toBe(html);
  // Asked for in another language it is made anew, of what it was issued with.
  expect(await page(invoice.id, '?locale=en')).toContain('HRB 12345');
});

describe('numbers of a profile', () => {
  const issue = async (id: string) => {
    await createCharge(t, id, flatCharge('1', NOW));
    return (await invoiceNow(t, id)).number as string;
  };
  test('have a prefix, a year, digits and a start, and no gaps; profiles with one prefix share them', async () => {
    const [one, two] = [await customerWith('first', {}), await customerWith('second', {})];
    const numbering = { prefix: 'RE-', with_year: true, digits: 5, start: 100 };
    for (const { profileId } of [one, two])
      await send(t, 'PUT', `/profiles/${profileId}/numbering`, { numbering }, 200);
    const numbers = [await issue(one.id), await issue(two.id), await issue(one.id)];
    expect(numbers).toEqual(['RE-2026-00100', 'RE-2026-00101', 'RE-2026-00102']);
    const later = { numbering: { prefix: 'RE-', with_year: true, digits: 3, start: 500 } };
    await send(t, 'PUT', `/profiles/${one.profileId}/numbering`, later, 200);
    expect([await issue(one.id), await issue(two.id)]).toEqual(['RE-2026-500', 'RE-2026-00501']);
    await send(t, 'PUT', `/profiles/${one.profileId}/numbering`, {}, 200);
    expect(await issue(one.id)).toMatch(/^OM-SANDBOX-FIRS-\d+$/);
  });

  test('of twenty customers at once are twenty', async () => {
    const own = await customerWith('many0', {});
    const numbering = { prefix: 'P', with_year: false, digits: 1 };
    await send(t, 'PUT', `/profiles/${own.profileId}/numbering`, { numbering }, 200);
    const ids = [own.id];
    for (let count = 1; count < 20; count++) {
      const { id } = await createCustomer(t, `many${count}`);
      await send(t, 'PUT', `/customers/${id}/billing`, { billing_profile: { id: own.profileId } }, 200);
      ids.push(id);
    }
    const numbers = await Promise.all(ids.map(issue));
    expect(numbers.sort()).toEqual(Array.from({ length: 20 }, (_, index) => `P${index + 1}`).sort());
  });
});

test('a look at the settings before they are saved', async () => {
  const { id } = await useProfile(t, (await createCustomer(t, 'look')).id, {});
  const answer = await t.request('POST', `/profiles/${id}/document-settings/preview`, { body: SETTINGS });
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('Zahlbar ohne Abzug.')]);
  expect(await send(t, 'GET', `/profiles/${id}/document-settings`, undefined, 200)).toEqual({});
});

test.each([
  { settings: { logo: 'data:image/png;base64,AAAA' }, field: 'logo' },
  { settings: { logo: 'https://example.com/logo.png' }, field: 'logo' },
  { settings: { language: 'tlh' }, field: 'language' },
  { settings: { footer: 'x'.repeat(2001) }, field: 'footer' },
])('settings that cannot be are refused: $field', async ({ settings, field }) => {
  const { id } = await useProfile(t, (await createCustomer(t, `bad-${JSON.stringify(settings).length}`)).id, {});
  const answer = await t.request('PUT', `/profiles/${id}/document-settings`, { body: settings });
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(field)]);
  const numbering = { prefix: 'DRAFT-', with_year: true, digits: 4 };
  expect((await t.request('PUT', `/profiles/${id}/numbering`, { body: { numbering } })).status).toBe(400);
});
