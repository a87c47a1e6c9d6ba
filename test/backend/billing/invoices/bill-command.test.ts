import { type ServerType, serve } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBill } from '../../../../scripts/bill.ts';
import { send } from '../../../support/answers.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { createCustomer } from '../../../support/customers/customers.ts';

let t: TestBackend;
let server: ServerType;
let url: string;
beforeAll(async () => {
  t = await createTestBackend();
  await new Promise<void>((resolve) => {
    server = serve({ fetch: t.app.fetch, hostname: '127.0.0.1', port: 0 }, (info) => {
      url = `http://127.0.0.1:${info.port}`;
      resolve();
    });
  });
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await t.close();
});

async function bill(args: string[], token: string = TOKENS.admin) {
  let output = '';
  const say = (text: string) => {
    output += text;
  };
  const environment = { METERING_URL: url, METERING_TOKEN: token };
  return { code: await runBill(args, { environment, say, isTerminal: true }), output };
}

test('bills as of a day, shows how far it is, and says what became of it', async () => {
  const { id } = await createCustomer(t, 'command');
  await createCharge(t, id, flatCharge('5', '2026-11-10T00:00:00Z'));
  const { code, output } = await bill(['--as-of', '2026-11-11T00:00:00Z']);
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringMatching(/1 customers and invoices done, 0 failed/),
  });
  const { data } = await send(t, 'GET', `/billing/invoices?filter[customer_id]=${id}`, undefined, 200);
  expect(data).toMatchObject([{ created_at: '2026-11-11T00:00:00Z', status: 'paid' }]);
});

test('says what is wrong: a day in the future, a token that may not, an option that is not there', async () => {
  expect(await bill(['--as-of', '2030-01-01T00:00:00Z'])).toMatchObject({
    code: 1,
    output: expect.stringContaining('as_of'),
  });
  expect(await bill([], TOKENS.viewer)).toMatchObject({ code: 1, output: expect.stringContaining('403') });
  expect((await bill(['--fast'])).code).toBe(1);
  expect(await bill(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('--as-of') });
});
