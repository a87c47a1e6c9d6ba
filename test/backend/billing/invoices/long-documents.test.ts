import { afterAll, beforeAll, expect, test } from 'vitest';
import { lineRepository } from '../../../../backend/billing/invoice-records/lines/repository.ts';
import type { InvoiceLine } from '../../../../backend/billing/invoice-records/types.ts';
import { createIds } from '../../../../backend/platform/ids.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { expectShortTurns, measureTurns } from '../../../support/turn-meter.ts';
import { hasPdfReader, textOfPdf } from './pdf-reader.ts';

const LINES = 20_000;
let t: TestBackend;
let path: string;
beforeAll(async () => {
  t = await createTestBackend();
  const { id: customerId } = await createCustomer(t, 'large');
  await createCharge(t, customerId, flatCharge('1', '2026-11-21T12:00:00Z', { name: 'Seat 1 of شركة' }));
  const { id } = await invoiceNow(t, customerId);
  path = `/v3/openmeter/billing/invoices/${id}/document`;
  const [first] = (await lineRepository(t.db).ofInvoice(id)) as [InvoiceLine];
  const newId = createIds(t.clock);
  const others = Array.from({ length: LINES - 1 }, (_, index): InvoiceLine => {
    return { ...first, id: newId(), position: index + 1, name: `Seat ${index + 2} of شركة` };
  });
  await lineRepository(t.db).insert(others);
});
afterAll(() => t.close());

async function file(format: string): Promise<Uint8Array> {
  const ask = async () => {
    const answer = await t.app.request(`${path}?format=${format}`, {
      headers: { authorization: `Bearer ${TOKENS.admin}` },
    });
    expect(answer.status).toBe(200);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const { result, turns } = await measureTurns(ask);
  expectShortTurns(turns);
  return result;
}

test('a bill of 20,000 lines is a PDF, and nobody waits for it', async () => {
  const pdf = await file('pdf');
  const pages =
    Buffer.from(pdf)
      .toString('latin1')
      .match(/\/Type \/Page\n/g) ?? [];
  expect(pages.length).toBeGreaterThan(500);
  if (!hasPdfReader) return;
  const text = await textOfPdf(pdf);
  for (const number of [1, 2, LINES / 2, LINES]) expect(text).toContain(`Seat${number}of`);
});

test('it is a page too', async () => {
  const html = new TextDecoder().decode(await file('html'));
  expect(html.match(/<tr><td>/g)).toHaveLength(LINES);
});
