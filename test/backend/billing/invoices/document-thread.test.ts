import { afterAll, expect, test } from 'vitest';
import {
  createDocumentMaker,
  type DocumentLimits,
  type ReadDocument,
} from '../../../../backend/billing/invoice-documents/thread/document-maker.ts';
import { lineRepository } from '../../../../backend/billing/invoice-records/lines/repository.ts';
import { invoiceRepository } from '../../../../backend/billing/invoice-records/repository.ts';
import type { InvoiceLine } from '../../../../backend/billing/invoice-records/types.ts';
import { createIds } from '../../../../backend/platform/ids.ts';
import { createTestBackend } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

const NOW = '2026-11-21T12:00:00Z';
const LIMITS: DocumentLimits = { maxWaiting: 16, timeLimitMs: 60_000, maxHeapMb: 256, idleMs: 60_000 };
const USD = { code: 'USD', digits: 2 } as never;

const SMALL = { ...LIMITS, maxHeapMb: 24 };
const t = await createTestBackend({ documentLimits: SMALL });
afterAll(() => t.close());
const { id: customerId } = await createCustomer(t, 'papers');
await createCharge(t, customerId, flatCharge('12', NOW, { name: 'A fee of some length that is printed many times' }));
const { id } = await invoiceNow(t, customerId);
await createCharge(t, customerId, flatCharge('3', NOW));
const { id: shortId } = await invoiceNow(t, customerId);
const invoice = (await invoiceRepository(t.db).byId(id)) as never;
const [line] = (await lineRepository(t.db).ofInvoice(id)) as [InvoiceLine];

const ofLines =
  (count: number, format: 'html' | 'pdf' = 'pdf'): ReadDocument =>
  async () => ({
    format,
    invoice,
    locale: 'en',
    frame: { settings: { profile: {}, customer: {} }, language: 'en', logo: undefined },
    currency: USD,
    lines: Array<InvoiceLine>(count).fill(line),
  });

const makerOf = (limits: DocumentLimits) =>
  createDocumentMaker({ log: { warn: () => undefined } as never, fontsDir: undefined }, limits);
const makerWith = (limits: Partial<DocumentLimits>) => makerOf({ ...LIMITS, ...limits });

const beginning = (file: Uint8Array) => new TextDecoder().decode(file.subarray(0, 5));

test('a document that takes too long is refused, and the next is made by a new thread', async () => {
  const limits = { ...LIMITS, timeLimitMs: 1 };
  const maker = makerOf(limits);
  await expect(maker.make(ofLines(1000))).rejects.toMatchObject({ kind: 'unavailable', retryAfterSeconds: 30 });
  limits.timeLimitMs = LIMITS.timeLimitMs;
  expect(beginning(await maker.make(ofLines(1)))).toBe('%PDF-');
});

test('a client that has gone leaves its place to others', async () => {
  const maker = makerWith({ maxWaiting: 1 });
  const first = maker.make(ofLines(500));
  const gone = new AbortController();
  const second = maker.make(ofLines(500), gone.signal);
  await expect(maker.make(ofLines(1))).rejects.toMatchObject({ kind: 'unavailable' });
  gone.abort();
  await expect(second).rejects.toThrow('aborted');
  const third = maker.make(ofLines(1));
  expect(beginning(await third)).toBe('%PDF-');
  expect(beginning(await first)).toBe('%PDF-');
});

test('a document that needs more memory than its thread may have is refused with that limit, and no other is', async () => {
  const maker = makerOf(SMALL);
  const [first, tooLarge, last] = await Promise.allSettled([
    maker.make(ofLines(1)),
    maker.make(ofLines(40_000)),
    maker.make(ofLines(1, 'html')),
  ]);
  expect(first?.status).toBe('fulfilled');
  expect(tooLarge).toMatchObject({
    status: 'rejected',
    reason: { kind: 'bad-request', message: expect.stringContaining('24 MB of memory') },
  });
  expect(last?.status === 'fulfilled' && beginning(last.value)).toBe('<!doc');
});

test('the client is told so, and gets the next document', async () => {
  const newId = createIds(t.clock);
  const others = Array.from({ length: 20_000 }, (_, index) => ({ ...line, id: newId(), position: index + 1 }));
  await lineRepository(t.db).insert(others);
  const document = (of: string) => t.request('GET', `/billing/invoices/${of}/document?format=pdf`);
  const refused = await document(id);
  expect(refused.status).toBe(400);
  expect(refused.json.detail).toContain('24 MB of memory');
  expect((await document(shortId)).status).toBe(200);
});

test('so many may wait; one more is asked to come back', async () => {
  const maker = makerWith({ maxWaiting: 2 });
  const wanted = [1, 2, 3, 4].map(() => maker.make(ofLines(1)));
  const outcomes = await Promise.allSettled(wanted);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  expect(outcomes[3]).toMatchObject({ reason: { kind: 'unavailable', retryAfterSeconds: 5 } });
});

test('what cannot be read is an error of that document only', async () => {
  const maker = makerWith({});
  await expect(maker.make(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  await expect(maker.make(async () => ({ ...(await ofLines(1)()), currency: undefined as never }))).rejects.toThrow(
    TypeError,
  );
  expect(beginning(await maker.make(ofLines(1)))).toBe('%PDF-');
});
