import { describe, expect, test } from 'vitest';
import { Decimal, formatDecimal } from '../../../backend/platform/decimal.ts';
import { codeOf, send, UNKNOWN_ID } from '../../support/answers.ts';
import { TOKENS } from '../../support/backend.ts';
import { createCharge, flatCharge } from '../../support/billing/charges.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { fee, openStory, type Story } from './story.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const DAY_11 = '2026-01-11T00:00:00Z';

const listed = async (s: Story): Promise<Json[]> =>
  (await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`)).data;
/** What waits for an invoice. */
const open = async (s: Story): Promise<string> => {
  const pending = (await listed(s)).filter(({ state }) => state === 'pending');
  return formatDecimal(Decimal.sum('0', ...pending.map(({ amount }) => amount)));
};
const drafted = async (s: Story, amount: string): Promise<Json> => {
  await createCharge(s.backend, s.customer.id, flatCharge(amount, new Date(s.backend.clock.nowMs()).toISOString()));
  return (await s.ok('POST', `/customers/${s.customer.id}/invoices`, {})).data[0];
};
const act = (s: Story, { id }: Json, action: string): Promise<Json> =>
  s.ok('POST', `/billing/invoices/${id}/${action}`);
const remove = (s: Story, { id }: Json): Promise<Json> => s.ok('DELETE', `/billing/invoices/${id}`);

/** A customer with a credit of 21, and what else is to be paid waiting for approval. */
async function withCredit(): Promise<Story> {
  const s = await openStory(JAN, { labels: { 'sandbox-payment': 'failed' } });
  const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
  await useProfile(s.backend, s.customer.id, { invoicing: { auto_advance: false } });
  s.backend.clock.set(DAY_11);
  await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
  expect(await open(s)).toBe('-21');
  return s;
}

describe('a credit lives on when the line that carries it goes', () => {
  test.each<[string, (s: Story, draft: Json) => Promise<unknown>]>([
    ['its draft is deleted', remove],
    [
      'its invoice is voided',
      async (s, draft) => {
        await act(s, draft, 'approve');
        expect(await open(s)).toBe('-11');
        await act(s, draft, 'void');
      },
    ],
    [
      'its invoice is given up',
      async (s, draft) => {
        await act(s, draft, 'approve');
        await act(s, draft, 'mark-uncollectible');
      },
    ],
  ])('%s: all of it is open again', async (_, lose) => {
    const s = await withCredit();
    try {
      const draft = await drafted(s, '10');
      expect([draft.totals.total, await open(s)]).toEqual(['0', '-11']);
      await lose(s, draft);
      expect(await open(s)).toBe('-21');
      expect((await drafted(s, '15')).totals.total).toBe('0');
      expect(await open(s)).toBe('-6');
    } finally {
      await s.close();
    }
  });

  test('its line is taken off a draft: open again, and for another invoice', async () => {
    const s = await withCredit();
    try {
      const draft = await drafted(s, '10');
      const { supplier, customer, type, workflow, lines } = draft;
      const kept = lines
        .filter(({ name }: Json) => name === 'Fee')
        .map(({ id, name, service_period, rate_card }: Json) => ({
          id,
          name,
          type: 'standard_line',
          service_period,
          rate_card,
        }));
      const { payment } = workflow.workflow;
      const body = { supplier, customer, type, workflow: { workflow: { payment } }, lines: kept };
      const without = await s.ok('PUT', `/billing/invoices/${draft.id}`, body);
      expect([without.totals.total, without.lines.length, await open(s)]).toEqual(['10', 1, '-21']);
      // Worked out anew, it stays without.
      const again = await s.ok('PUT', `/billing/invoices/${draft.id}`, { ...body, description: 'Thanks' });
      expect([again.totals.total, await open(s)]).toEqual(['10', '-21']);
      expect((await drafted(s, '30')).totals.total).toBe('9');
    } finally {
      await s.close();
    }
  });

  test('an invoice that was given up is paid after all: a credit that was used meanwhile was used twice', async () => {
    const s = await withCredit();
    try {
      const first = await drafted(s, '10');
      await act(s, first, 'approve');
      await act(s, first, 'mark-uncollectible');
      const second = await drafted(s, '21');
      expect([second.totals.total, await open(s)]).toEqual(['0', '0']);
      await s.backend.invoices.trigger(first.id, 'paid');
      expect(await open(s)).toBe('10');
    } finally {
      await s.close();
    }
  });
});

describe('only what was billed on an invoice that stands is given back', () => {
  test('a fee in advance whose draft was deleted', async () => {
    const s = await openStory(JAN);
    try {
      await useProfile(s.backend, s.customer.id, { invoicing: { auto_advance: false } });
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      await remove(s, (await s.invoices())[0]);
      s.backend.clock.set(DAY_11);
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      await s.at('2026-02-02T00:00:00Z');
      expect([await listed(s), await s.bills()]).toEqual([[], []]);
    } finally {
      await s.close();
    }
  });

  test('a fee whose invoice is voided after its unused time was given back; paid after all, it is given back', async () => {
    const s = await withCredit();
    try {
      const [invoice] = await s.invoices();
      await act(s, invoice, 'mark-uncollectible');
      expect([await open(s), (await listed(s)).map(({ state }) => state)]).toEqual(['0', ['withdrawn']]);
      await s.backend.invoices.trigger(invoice.id, 'paid');
      expect(await open(s)).toBe('-21');
    } finally {
      await s.close();
    }
  });

  test('a fee whose invoice is voided when its credit was used already', async () => {
    const s = await withCredit();
    try {
      const [invoice] = await s.invoices();
      await drafted(s, '10');
      await act(s, invoice, 'void');
      expect(await open(s)).toBe('10');
      expect((await listed(s))[0]).toMatchObject({ reason: 'credit_without_payment', amount: '10' });
    } finally {
      await s.close();
    }
  });

  test('the period of the credit is the time that is not used', async () => {
    const s = await openStory(JAN);
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      s.backend.clock.set('2026-01-01T00:00:40Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      expect(await listed(s)).toMatchObject([
        { amount: '-31', service_period: { from: '2026-01-01T00:00:40Z', to: '2026-02-01T00:00:00Z' } },
      ]);
    } finally {
      await s.close();
    }
  });
});

describe('the credit of a customer who has left', () => {
  test.each(['paid_out', 'written_off'])(
    'is owed, keeps the customer from being deleted, and is %s once',
    async (how) => {
      const s = await withCredit();
      try {
        const [first] = await s.invoices();
        await s.backend.invoices.trigger(first.id, 'paid');
        const path = `/customers/${s.customer.id}`;
        expect(await s.ok('GET', `${path}/billing-corrections`)).toMatchObject({
          owed: [{ currency: 'USD', amount: '21' }],
        });
        const refused = await send(s.backend, 'DELETE', path, undefined, 400);
        expect(codeOf(refused)).toBe('customer_has_open_credit');
        expect(refused.extensions.validationErrors[0].message).toContain('21 USD');

        const [credit] = await listed(s);
        const settle = `${path}/billing-corrections/${credit.id}/settle`;
        const body = { how, note: 'transfer of May 3' };
        const settled = await send(s.backend, 'POST', settle, body, 200);
        expect(settled).toMatchObject({ state: how, note: 'transfer of May 3', settled_at: DAY_11 });
        expect(await send(s.backend, 'POST', settle, body, 200)).toEqual(settled);
        const other = how === 'paid_out' ? 'written_off' : 'paid_out';
        await send(s.backend, 'POST', settle, { how: other }, 409);
        expect(await s.ok('GET', `${path}/billing-corrections`)).toMatchObject({ owed: [], data: [{ state: how }] });
        const { data } = await s.ok('GET', '/audit-log?page[size]=1');
        expect(data[0]).toMatchObject({ operation_id: 'settle-customer-billing-correction' });
        expect((await drafted(s, '10')).totals.total).toBe('10');
      } finally {
        await s.close();
      }
    },
  );

  test('401, 403, 404, and 400 for what is no credit', async () => {
    const s = await withCredit();
    try {
      const [invoice] = await s.invoices();
      const [credit] = await listed(s);
      const path = `/customers/${s.customer.id}/billing-corrections`;
      const settle = (id: string, token: string | null) =>
        s.backend.request('POST', `${path}/${id}/settle`, { body: { how: 'paid_out' }, token });
      expect((await settle(credit.id, null)).status).toBe(401);
      expect((await settle(credit.id, TOKENS.viewer)).status).toBe(403);
      await send(s.backend, 'POST', `${path}/${UNKNOWN_ID}/settle`, { how: 'paid_out' }, 404);
      await send(
        s.backend,
        'POST',
        `/customers/${UNKNOWN_ID}/billing-corrections/${credit.id}/settle`,
        { how: 'paid_out' },
        404,
      );
      await drafted(s, '10');
      await act(s, invoice, 'void');
      const [debit] = await listed(s);
      const refused = await send(s.backend, 'POST', `${path}/${debit.id}/settle`, { how: 'paid_out' }, 400);
      expect(codeOf(refused)).toBe('correction_is_no_credit');
      await send(s.backend, 'POST', `${path}/${debit.id}/settle`, { how: 'written_off' }, 200);
    } finally {
      await s.close();
    }
  });
});
