import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestBackend } from '../../../support/backend.ts';
import { getInvoice } from '../../../support/billing/invoices.ts';
import { dieDuring } from '../../../support/process-death.ts';
import {
  billThroughStripe,
  oneThere,
  type StripeWorld,
  startStripeWorld,
  stateOf,
  stripeParts,
} from '../../../support/stripe/billing.ts';
import type { Fault } from '../../../support/stripe/fake-stripe.ts';

let world: StripeWorld;
beforeAll(async () => {
  world = await startStripeWorld();
});
afterAll(() => world.close());

/** Until nothing is due any more, whatever time it takes. */
async function workOff(t: TestBackend): Promise<void> {
  for (let round = 0; round < 6; round += 1) {
    await t.outgoing.work();
    t.clock.advanceMs(60_000);
  }
}

const CHANGES = ['POST /v1/invoices$', 'POST /v1/invoices/in_\\d+$', 'add_lines', 'finalize'];
const HOW: Fault['how'][] = ['500 before', '500 after', 'reset before', 'reset after', '429'];
const FAULTS = CHANGES.flatMap((match) => HOW.map((how) => [how, match] as const));

test.each(FAULTS)('%s %s: one invoice, each line once, the right total', async (how, match) => {
  const send = { payment: { collection_method: 'send_invoice' } };
  const { invoiceId: id } = await billThroughStripe(world, `${how}-${match}`.replace(/\W+/g, '-'), {
    amounts: ['1', '2.50'],
    workflow: send,
  });
  world.stripe.fail({ match: new RegExp(match), how });
  await workOff(world.t);
  const there = oneThere(world, id);
  expect(there).toMatchObject({ status: 'open', total: 350 });
  expect(await getInvoice(world.t, id)).toMatchObject({ number: there.number, status: 'payment_processing' });
});

test('two processes sync one invoice: it is there once', async () => {
  const { invoiceId: id } = await billThroughStripe(world, 'two', { amounts: ['3', '4'] });
  await Promise.all([world.t.outgoing.work(), world.t.outgoing.work()]);
  expect(oneThere(world, id)).toMatchObject({ status: 'open', total: 700 });
  expect(world.stripe.changes.filter((change) => change.endsWith(`${oneThere(world, id).id}/finalize`))).toHaveLength(
    1,
  );
});

/** In the short form every fourth commit. */
const STEP = process.env['LONG'] === '1' ? 1 : 4;

test.each(['now', 'after the next change'] as const)(
  'killed after each commit, calls end %s: the next process finishes it, once',
  async (when) => {
    const own = await startStripeWorld();
    const { stripe } = own;
    let { t } = own;
    for (let commits = 1; ; commits += STEP) {
      const { invoiceId: id } = await billThroughStripe({ ...own, t }, `killed-${commits}`, { amounts: ['5', '6.25'] });
      const options = { ...stripeParts(stripe), onDeath: () => stripe.cut(when) };
      const next = await dieDuring(t, commits, () => t.outgoing.work(), options);
      stripe.cut(undefined);
      if (next === undefined) {
        expect(commits).toBeGreaterThan(8);
        break;
      }
      t = next;
      // The lease of the one that died has ended by then.
      t.clock.advanceMs(600_000);
      await workOff(t);
      const after: StripeWorld = { ...own, t };
      expect([commits, oneThere(after, id).total, await stateOf(after, id)]).toEqual([
        commits,
        1125,
        'payment_processing.pending',
      ]);
    }
    await t.close();
    await stripe.close();
  },
);
