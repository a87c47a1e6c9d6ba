import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { withTables } from '../../../backend/platform/db/handle.ts';
import { openStory, usage } from './story.ts';

// One customer whose billing fails never holds up another: in each stage of a billing run a failure is planted, as a row
// that a broken disk or an older program has left. When it is mended, the customer is billed as if nothing had been.

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely; each is held against the contract
type Json = any;

const NAMES = ['ada', 'bob', 'cleo', 'dan'] as const;
type Name = (typeof NAMES)[number];

test('a customer whose billing fails in any stage is billed later, and nobody else is', async () => {
  const s = await openStory('2026-01-01T00:00:00Z');
  const { ok } = s;
  try {
    const plan = await s.plan('p', [usage('1')]);
    const ids = {} as Record<Name, string>;
    for (const key of NAMES) {
      ids[key] = (await ok('POST', '/customers', { key, name: key })).id;
      await ok('POST', '/subscriptions', { customer: { id: ids[key] }, plan: { id: plan.id } });
    }
    const use = async (time: string, counts: Record<Name, number>) => {
      for (const key of NAMES) await s.events(time, counts[key], { subject: key });
    };
    const tables = withTables<{
      charges: { id: string; content: string; customer_id: string; state: string };
      invoices: { id: string; content: string; customer_id: string };
      billing_corrections: { customer_id: string };
    }>(s.backend.db);
    const write = (table: 'charges' | 'invoices', id: string, content: string) =>
      tables.updateTable(table).set({ content }).where('id', '=', id).execute();
    /** Breaks rows of one customer. @returns what mends them */
    const breakRows = async (
      table: 'charges' | 'invoices',
      customerId: string,
      state?: string,
    ): Promise<() => Promise<void>> => {
      let own = tables.selectFrom(table).select(['id', 'content']).where('customer_id', '=', customerId);
      if (state !== undefined) own = own.where(sql.ref('state'), '=', state);
      const rows = await own.execute();
      expect(rows.length).toBeGreaterThan(0);
      for (const { id } of rows) await write(table, id, '{');
      return async () => {
        for (const { id, content } of rows) await write(table, id, content);
      };
    };
    /** Bills everybody. @returns the stages in which something failed, and of whom */
    const bill = async (time: string): Promise<Json> => {
      s.backend.clock.set(time);
      await s.backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
      expect(await s.backend.billingRuns.runner.work()).toBe(true);
      const { data } = await ok('GET', '/billing/runs?page[size]=1');
      expect(data[0].stage).toBe('finished');
      return data[0];
    };
    const bills = async (): Promise<Record<Name, string[]>> => {
      const told = {} as Record<Name, string[]>;
      for (const key of NAMES) {
        const { data } = await ok('GET', `/billing/invoices?filter[customer_id]=${ids[key]}&sort=created_at`);
        told[key] = data
          .filter((invoice: Json) => invoice.status !== 'gathering')
          .map((invoice: Json) => `${invoice.status} ${invoice.totals.total}`);
      }
      return told;
    };
    const ofAll = (bill: string) => Object.fromEntries(NAMES.map((key) => [key, [bill]]));

    // What is due: a charge of Bob's cannot be read.
    await use('2026-01-10T00:00:00Z', { ada: 1, bob: 1, cleo: 1, dan: 1 });
    await bill('2026-01-11T00:00:00Z');
    const mendCharges = await breakRows('charges', ids.bob);
    expect((await bill('2026-02-01T00:30:00Z')).failed).toBeGreaterThan(0);
    expect(await bills()).toMatchObject({ bob: [], ada: [expect.stringMatching(/^draft/)], dan: [expect.any(String)] });
    await mendCharges();
    expect((await bill('2026-02-01T00:40:00Z')).failed).toBe(0);

    // Drafts: Cleo's cannot be read when all are to be issued.
    const mendDraft = await breakRows('invoices', ids.cleo);
    expect((await bill('2026-02-10T00:00:00Z')).failed).toBeGreaterThan(0);
    await mendDraft();
    const { cleo, ...others } = await bills();
    expect(cleo).toEqual([expect.stringMatching(/^draft/)]);
    expect(new Set(Object.values(others).flat())).toEqual(new Set(['paid 1']));
    expect((await bill('2026-02-10T00:10:00Z')).failed).toBe(0);
    expect(await bills()).toEqual(ofAll('paid 1'));

    // The recount: what Dan was billed for cannot be read when late usage of all is looked for.
    await use('2026-01-20T00:00:00Z', { ada: 2, bob: 2, cleo: 2, dan: 2 });
    const mendBilled = await breakRows('charges', ids.dan, 'billed');
    expect((await bill('2026-02-12T00:00:00Z')).failed).toBe(1);
    // Not by the API, which looks for late usage itself.
    const corrected = async () => {
      const rows = await tables.selectFrom('billing_corrections').select('customer_id').execute();
      return rows.map(({ customer_id }) => NAMES.find((key) => ids[key] === customer_id)).sort();
    };
    expect(await corrected()).toEqual(['ada', 'bob', 'cleo']);
    await mendBilled();
    expect((await bill('2026-02-14T00:00:00Z')).failed).toBe(0);
    expect(await corrected()).toEqual([...NAMES]);
  } finally {
    await s.close();
  }
});
