import { expect } from 'vitest';
import { Decimal, formatDecimal } from '../../../backend/platform/decimal.ts';
import { fee, type Story, type Told, tellStories, usage } from './story.ts';

const JAN = '2026-01-01T00:00:00Z';
const correct = (s: Story, action: 'void' | 'restore') =>
  s.ok('POST', '/events/corrections', {
    action,
    reason: 'test traffic',
    filter: { time: { lt: '2026-01-31T00:00:00Z' } },
  });
const sumOf = async (s: Story): Promise<string> =>
  formatDecimal(Decimal.sum(...(await s.invoices()).map(({ totals }) => totals.total)));

/** Five calls in January, which are void when their invoice has been issued. */
const voidInvoicedCalls = async (s: Story) => {
  await s.subscribe(await s.plan('p', [usage('0.37')]));
  await s.events('2026-01-10T00:00:00Z', 5);
  await s.at('2026-02-01T01:00:00Z');
  await correct(s, 'void');
};
/** They count again when the invoice of February, in which there were so many calls, has given them back as far as it could. */
const restoreAfterFebruary = async (s: Story, callsOfFebruary: number) => {
  await s.events('2026-02-10T00:00:00Z', callsOfFebruary);
  await s.at('2026-03-01T01:00:00Z');
  await correct(s, 'restore');
  await s.events('2026-03-10T00:00:00Z', 1);
  await s.at('2026-04-01T01:00:00Z');
};

const STORIES: Told[] = [
  {
    title: 'an event of lower usage that comes late is no voided event',
    start: JAN,
    tell: async (s) => {
      const { id } = (await s.ok('GET', '/features?filter[key]=tokens')).data[0];
      await s.subscribe(await s.plan('p', [usage('1', { key: 'tokens', name: 'Tokens', feature: { id } })]));
      await s.events('2026-01-10T00:00:00Z', 1, { type: 'tokens', value: 5 });
      await s.at('2026-02-01T01:00:00Z');
      await s.events('2026-01-11T00:00:00Z', 1, { type: 'tokens', value: -2 });
      await s.events('2026-02-10T00:00:00Z', 1, { type: 'tokens', value: 4 });
      await s.at('2026-03-01T01:00:00Z');
      const { data } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
      expect(data).toMatchObject([{ reason: 'lower_usage', quantity_before: '5', quantity_after: '3' }]);
    },
    bills: [
      '2026-01-01..2026-02-01 paid 5 USD: Tokens 5×1=5',
      '2026-01-01..2026-03-01 paid 2 USD: Tokens 4×1=4; Tokens: lower usage 1×-2=-2',
    ],
  },
  {
    title:
      'voided after the first invoice, counted again after the second: three invoices come to what the usage costs',
    start: JAN,
    tell: async (s) => {
      await voidInvoicedCalls(s);
      await restoreAfterFebruary(s, 7);
      expect(await sumOf(s)).toBe('4.81');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 1.85 USD: Calls 5×0.37=1.85',
      '2026-01-01..2026-03-01 paid 0.74 USD: Calls 7×0.37=2.59; Calls: voided events 1×-1.85=-1.85',
      '2026-01-01..2026-04-01 paid 2.22 USD: Calls 1×0.37=0.37; Calls: late usage 1×1.85=1.85',
    ],
  },
  {
    title: 'voided and counted again, of which only a part had been given back',
    start: JAN,
    tell: async (s) => {
      await voidInvoicedCalls(s);
      await restoreAfterFebruary(s, 2);
      expect(await sumOf(s)).toBe('2.96');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 1.85 USD: Calls 5×0.37=1.85',
      '2026-01-01..2026-03-01 paid 0 USD: Calls 2×0.37=0.74; Calls: voided events 1×-0.74=-0.74',
      '2026-01-01..2026-04-01 paid 1.11 USD: Calls 1×0.37=0.37; Calls: late usage 1×1.85=1.85; Calls: voided events 1×-1.11=-1.11',
    ],
  },
  {
    title: 'voided and counted again between two invoices, as if nothing had been',
    start: JAN,
    tell: async (s) => {
      await voidInvoicedCalls(s);
      await s.at('2026-02-10T00:00:00Z');
      await correct(s, 'restore');
      await s.at('2026-03-01T01:00:00Z');
      expect(await sumOf(s)).toBe('1.85');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 1.85 USD: Calls 5×0.37=1.85',
      '2026-01-01..2026-03-01 paid 0 USD: Calls nothing=0; Calls: late usage 1×1.85=1.85; Calls: voided events 1×-1.85=-1.85',
    ],
  },
  {
    title: 'two changes of plan while the invoice of the month waits for late events',
    start: JAN,
    tell: async (s) => {
      const small = await s.plan('small', [fee('28'), usage('1')]);
      const medium = await s.plan('medium', [fee('56'), usage('2')]);
      const large = await s.plan('large', [fee('84'), usage('3')]);
      const first = await s.subscribe(small);
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-02-01T00:10:00Z');
      const second = await s.change(first, medium);
      await s.events('2026-02-01T00:12:00Z', 1);
      s.backend.clock.set('2026-02-01T00:20:00Z');
      await s.change(second, large);
      await s.events('2026-02-01T00:25:00Z', 1);
      await s.at('2026-02-01T00:40:00Z');
      await s.at('2026-02-02T00:00:00Z');
      await s.at('2026-03-02T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 28 USD: Fee 1×28=28',
      '2026-01-01..2026-02-01T00:10Z paid 3.01 USD: Calls 3×1=3; Fee 1×0.01=0.01',
      '2026-02-01..2026-02-01T00:20Z paid 0.01 USD: Calls nothing=0; Fee 1×0.01=0.01',
      '2026-02-01T00:10Z..2026-03-01 paid 85.96 USD: Calls 1×2=2; Fee 1×83.96=83.96',
      '2026-02-01T00:20Z..2026-04-01 paid 87 USD: Calls 1×3=3; Fee 1×84=84',
    ],
  },
  {
    title: 'two changes of plan within one collection interval in the middle of the month',
    start: JAN,
    tell: async (s) => {
      const small = await s.plan('small', [fee('31'), usage('1')]);
      const medium = await s.plan('medium', [fee('62'), usage('2')]);
      const large = await s.plan('large', [fee('93'), usage('3')]);
      const first = await s.subscribe(small);
      await s.events('2026-01-05T00:00:00Z', 3);
      await s.at('2026-01-11T00:00:00Z');
      const second = await s.change(first, medium);
      await s.events('2026-01-11T00:10:00Z', 1);
      await s.at('2026-01-11T00:30:00Z');
      await s.change(second, large);
      await s.events('2026-01-11T00:30:00Z', 1);
      await s.at('2026-01-11T01:30:00Z');
      await s.at('2026-02-01T02:00:00Z');
      await s.at('2026-03-01T02:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31',
      '2026-01-01..2026-02-01 paid 0 USD: Calls 3×1=3; Fee 1×0.04=0.04; Fee: unused time 1×-3.04=-3.04',
      '2026-01-11..2026-02-01 paid 46.98 USD: Calls 1×2=2; Fee 1×62.94=62.94; Fee: unused time 1×-17.96=-17.96',
      '2026-01-11T00:30Z..2026-03-01 paid 96 USD: Calls 1×3=3; Fee 1×93=93',
      '2026-02-01..2026-04-01 paid 93 USD: Calls nothing=0; Fee 1×93=93',
    ],
  },
  {
    title: 'two changes of plan within half an hour, the fee of the first one already paid: half an hour of it stays',
    start: JAN,
    tell: async (s) => {
      const small = await s.plan('small', [fee('31')]);
      const medium = await s.plan('medium', [fee('62')]);
      const large = await s.plan('large', [fee('93')]);
      const first = await s.subscribe(small);
      await s.at('2026-01-11T00:00:00Z');
      const second = await s.change(first, medium);
      await s.at('2026-01-11T00:30:00Z');
      await s.change(second, large);
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31',
      '2026-01-11..2026-02-01 paid 21 USD: Fee 1×42=42; Fee: unused time 1×-21=-21',
      '2026-01-11T00:30Z..2026-02-01 paid 20.98 USD: Fee 1×62.94=62.94; Fee: unused time 1×-41.96=-41.96',
      '2026-02-01..2026-03-01 paid 93 USD: Fee 1×93=93',
    ],
  },
];

tellStories(STORIES);
