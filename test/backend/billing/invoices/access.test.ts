import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, send, UNKNOWN_ID } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

const CUSTOMER = `/customers/${UNKNOWN_ID}`;
const INVOICE = `/billing/invoices/${UNKNOWN_ID}`;
/** Every operation of billing in the contract. */
const OPERATIONS = [
  'GET /app-catalog',
  'POST /app-catalog/install',
  'GET /app-catalog/sandbox',
  'GET /apps',
  `GET /apps/${UNKNOWN_ID}`,
  `PUT /apps/${UNKNOWN_ID}`,
  `DELETE /apps/${UNKNOWN_ID}`,
  'GET /billing/invoices',
  `GET ${INVOICE}`,
  `PUT ${INVOICE}`,
  `DELETE ${INVOICE}`,
  `POST ${INVOICE}/advance`,
  `POST ${INVOICE}/approve`,
  `POST ${INVOICE}/retry`,
  `POST ${INVOICE}/snapshot-quantities`,
  `GET ${CUSTOMER}/billing`,
  `PUT ${CUSTOMER}/billing`,
  `PUT ${CUSTOMER}/billing/app-data`,
  `GET ${CUSTOMER}/charges`,
  `POST ${CUSTOMER}/charges`,
  'GET /profiles',
  'POST /profiles',
  `GET /profiles/${UNKNOWN_ID}`,
  `PUT /profiles/${UNKNOWN_ID}`,
  `DELETE /profiles/${UNKNOWN_ID}`,
];

let t: TestBackend;
beforeAll(async () => {
  t = await createTestBackend();
});
afterAll(() => t.close());

describe('who may', () => {
  test.each(OPERATIONS)('401, 403: %s', async (operation) => {
    const [method = '', path = ''] = operation.split(' ');
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
    const status = async (token: string | null) => (await t.request(method, path, { ...body, token })).status;
    expect(await status(null)).toBe(401);
    expect(await status(TOKENS.ingest)).toBe(403);
    if (method !== 'GET') expect(await status(TOKENS.viewer)).toBe(403);
  });
});

test.each(['advance', 'approve', 'retry', 'snapshot-quantities'])(
  '400: %s of an invoice that is paid',
  async (action) => {
    const customer = await createCustomer(t, action);
    await createCharge(t, customer.id, flatCharge('5', '2026-11-21T12:00:00Z'));
    const { id, status } = await invoiceNow(t, customer.id);
    expect(status).toBe('paid');
    const refused = await send(t, 'POST', `/billing/invoices/${id}/${action}`, undefined, 400);
    expect(codeOf(refused)).toBe(action === 'advance' ? 'invoice_cannot_advance' : 'invoice_action_not_available');
  },
);
