import { describe, expect, test } from 'vitest';
import { send } from '../../support/answers.ts';
import { useProfile } from '../../support/billing/invoices.ts';
import { bodyOf } from './draft-body.ts';
import { fee, openStory, type Story, usage } from './story.ts';

// biome-ignore lint/suspicious/noExplicitAny: stories look into answers freely; each answer is held against the contract
type Json = any;

const JAN = '2026-01-01T00:00:00Z';
const put = (s: Story, invoice: Json, body: Json): Promise<Json> =>
  s.ok('PUT', `/billing/invoices/${invoice.id}`, body);
/** Changes the one line with this name. */
const edit = (s: Story, invoice: Json, name: string, change: (line: Json) => Json): Promise<Json> => {
  const body = bodyOf(invoice);
  return put(s, invoice, {
    ...body,
    lines: body.lines.map((line: Json) => (line.name === name ? change(line) : line)),
  });
};
const approve = (s: Story, { id }: Json): Promise<Json> => s.ok('POST', `/billing/invoices/${id}/approve`);
const corrections = async (s: Story): Promise<string[]> =>
  (await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`)).data.map(
    ({ reason, amount, state }: Json) => `${reason} ${amount} ${state}`,
  );
const charges = async (s: Story): Promise<string[]> =>
  (await s.ok('GET', `/customers/${s.customer.id}/charges?filter[status][oeq]=created,active,final,deleted`)).data
    .map((one: Json) => `${one.name} ${one.lifecycle_controller} ${one.status}`)
    .sort();
const withPrice = (amount: string) => (line: Json) => ({
  ...line,
  rate_card: { ...line.rate_card, price: { type: 'flat', amount } },
});

/** A story whose invoices wait for approval. */
async function openManual(): Promise<Story> {
  const s = await openStory(JAN);
  await useProfile(s.backend, s.customer.id, { invoicing: { auto_advance: false } });
  return s;
}

describe('what a person has set on a draft, and what still follows the plan', () => {
  test('a draft that is put back as it was read is as it was, and late usage is found', async () => {
    const s = await openManual();
    try {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-10T00:00:00Z', 11);
      await s.at('2026-02-01T01:00:00Z');
      const [draft] = await s.invoices();
      expect(await put(s, draft, bodyOf(draft))).toEqual(draft);
      expect(draft.lines).toMatchObject([{ lifecycle_controller: 'system' }]);
      // A label of the invoice, then one of the line.
      await put(s, draft, { ...bodyOf(draft), labels: { checked: 'yes' } });
      const edited = await edit(s, draft, 'Calls', (line) => ({ ...line, labels: { team: 'a' } }));
      expect(edited.lines).toMatchObject([{ lifecycle_controller: 'manual', labels: { team: 'a' } }]);
      expect(await charges(s)).toContain('Calls manual final');
      await approve(s, draft);
      await s.events('2026-01-11T00:00:00Z', 10);
      await s.at('2026-03-01T01:00:00Z');
      expect(await corrections(s)).toEqual(['late_usage 10 invoiced']);
      expect((await s.bills())[1]).toContain('Calls: late usage 1×10=10');
    } finally {
      await s.close();
    }
  });

  test.each([
    ['its name', (line: Json) => ({ ...line, name: 'Base fee' }), '-21', 'Base fee: unused time'],
    ['its price', withPrice('20'), '-13.55', 'Fee: unused time'],
  ])('a fee of which somebody has set %s gives back its unused time', async (_, change, amount, name) => {
    const s = await openManual();
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      const [draft] = await s.invoices();
      await approve(s, await edit(s, draft, 'Fee', change));
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      const { data } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
      expect(data).toMatchObject([
        { amount, name, service_period: { from: '2026-01-11T00:00:00Z', to: '2026-02-01T00:00:00Z' } },
      ]);
    } finally {
      await s.close();
    }
  });

  test('a line on a draft follows its plan in everything but what was set', async () => {
    const s = await openManual();
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31'), fee('62', { key: 'seat', name: 'Seat' })]));
      const [draft] = await s.invoices();
      await edit(s, draft, 'Seat', withPrice('31'));
      await edit(s, (await s.invoices())[0], 'Fee', (line) => ({ ...line, name: 'Base fee' }));
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      expect(await s.bills()).toEqual(['2026-01-01..2026-01-11 draft 20 USD: Base fee 1×10=10; Seat 1×10=10']);
      expect(await corrections(s)).toEqual([]);
    } finally {
      await s.close();
    }
  });

  test('charges follow: changed is manual, dropped is deleted for good, and what is added has one', async () => {
    const s = await openManual();
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31'), fee('62', { key: 'seat', name: 'Seat' })]));
      const [draft] = await s.invoices();
      const body = bodyOf(draft);
      const [one, two] = body.lines;
      const period = one.service_period;
      const more = {
        type: 'standard_line',
        name: 'Setup',
        service_period: period,
        rate_card: { price: { type: 'flat', amount: '7' } },
      };
      const kept = one.name === 'Fee' ? one : two;
      const edited = await put(s, draft, { ...body, lines: [withPrice('20')(kept), more] });
      expect(edited.totals.total).toBe('27');
      expect(edited.lines[1].charge.id).toEqual(expect.any(String));
      const now = async () => (await charges(s)).filter((text) => !text.includes('system'));
      expect(await now()).toEqual(['Fee manual final', 'Seat manual deleted', 'Setup manual final']);
      const { data } = await s.ok('GET', `/customers/${s.customer.id}/charges`);
      expect(data.find(({ name }: Json) => name === 'Fee').amount_after_proration.amount).toBe('20');
      // Looked at again, also with another end: what was let off does not come back.
      await s.at('2026-01-02T00:00:00Z');
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      expect(await now()).toEqual(['Fee manual final', 'Seat manual deleted', 'Setup manual final']);
      expect((await s.bills())[0]).toBe('2026-01-01..2026-02-01 draft 13.45 USD: Fee 1×6.45=6.45; Setup 1×7=7');
      await approve(s, draft);
      expect(await corrections(s)).toEqual([]);
    } finally {
      await s.close();
    }
  });

  test('a part that somebody made free does not come back with the next part, nor hold it up', async () => {
    const s = await openManual();
    try {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-05T00:00:00Z', 4);
      s.backend.clock.set('2026-01-10T00:00:00Z');
      const [part] = (await s.ok('POST', `/customers/${s.customer.id}/invoices`, {})).data;
      await edit(s, part, 'Calls', withPrice('0'));
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-01-11T00:00:00Z');
      await s.at('2026-02-01T01:00:00Z');
      expect(await s.bills()).toEqual([
        '2026-01-01..2026-01-10 draft 0 USD: Calls nothing=0',
        '2026-01-10..2026-02-01 draft 3 USD: Calls 3×1=3',
      ]);
    } finally {
      await s.close();
    }
  });

  test('400: a line that is sent twice', async () => {
    const s = await openManual();
    try {
      await s.subscribe(await s.plan('p', [fee('31')]));
      const [draft] = await s.invoices();
      const body = bodyOf(draft);
      const [line] = body.lines;
      const twice = { ...body, lines: [line, { ...line, name: 'Again' }] };
      const refused = await send(s.backend, 'PUT', `/billing/invoices/${draft.id}`, twice, 400);
      expect(refused.invalid_parameters[0].field).toBe('lines.1.id');
    } finally {
      await s.close();
    }
  });

  test('400: the amount of a correction is not for a draft to change', async () => {
    const s = await openManual();
    try {
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      await approve(s, (await s.invoices())[0]);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      const next = await s.change({ id }, await s.plan('q', [fee('62')]));
      expect(next.id).toEqual(expect.any(String));
      const draft = (await s.invoices())[1];
      expect(draft.lines).toHaveLength(2);
      const body = bodyOf(draft);
      const lines = body.lines.map((line: Json) => (line.name.includes('unused') ? withPrice('-1')(line) : line));
      const refused = await send(s.backend, 'PUT', `/billing/invoices/${draft.id}`, { ...body, lines }, 400);
      expect(refused.invalid_parameters[0].field).toMatch(/^lines\.\d\.rate_card\.price/);
      // Its name is, and it stays when the draft is worked out anew.
      const named = await edit(s, draft, 'Fee: unused time', (line) => ({ ...line, name: 'Given back' }));
      expect(await put(s, draft, { ...bodyOf(named), description: 'Thanks' })).toMatchObject({
        totals: named.totals,
        lines: named.lines.map(({ id: lineId, name }: Json) => ({ id: lineId, name })),
      });
    } finally {
      await s.close();
    }
  });
});
