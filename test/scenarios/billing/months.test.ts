import { expect } from 'vitest';
import { fee, type Told, tellStories, usage } from './story.ts';

const JAN = '2026-01-01T00:00:00Z';
const GRADUATED = {
  type: 'graduated',
  tiers: [
    { up_to_amount: '5', flat_price: { type: 'flat', amount: '2' }, unit_price: { type: 'unit', amount: '1' } },
    { unit_price: { type: 'unit', amount: '0.5' } },
  ],
};

const STORIES: Told[] = [
  {
    title: 'a monthly fee in advance is billed at once and each month',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10')]));
      await s.at('2026-03-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-02-01..2026-03-01 paid 10 USD: Fee 1×10=10',
      '2026-03-01..2026-04-01 paid 10 USD: Fee 1×10=10',
    ],
  },
  {
    title: 'a monthly fee in arrears is billed when its month is over',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10', { payment_term: 'in_arrears' })]));
      await s.at('2026-02-28T23:59:59Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10'],
  },
  {
    title: 'usage of each month stands beside the fee of the next',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10'), usage('0.5')]));
      await s.events('2026-01-15T00:00:00Z', 4);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-03-01 paid 12 USD: Calls 4×0.5=2; Fee 1×10=10',
    ],
  },
  {
    title: 'an event at the very end of a month belongs to the next',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-31T23:59:59.999Z', 1);
      await s.events('2026-02-01T00:00:00Z', 2);
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 1 USD: Calls 1×1=1', '2026-02-01..2026-03-01 paid 2 USD: Calls 2×1=2'],
  },
  {
    title: 'a late event within the collection interval is on the invoice',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.at('2026-02-01T00:30:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 3 USD: Calls 3×1=3'],
  },
  {
    title: 'a late event after the invoice is an adjustment on the next one',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-10T00:00:00Z', 2);
      await s.at('2026-02-01T01:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-03-01T01:00:00Z');
      await s.at('2026-04-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 2 USD: Calls 2×1=2',
      '2026-01-01..2026-03-01 paid 3 USD: Calls nothing=0; Calls: late usage 1×3=3',
      '2026-03-01..2026-04-01 paid 0 USD: Calls nothing=0',
    ],
  },
  {
    title: 'voided events are given back on the next invoice, as far as it goes, and the rest on the one after',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-10T00:00:00Z', 5);
      await s.at('2026-02-01T01:00:00Z');
      await s.ok('POST', '/events/corrections', {
        action: 'void',
        reason: 'test traffic',
        filter: { time: { lt: '2026-01-31T00:00:00Z' } },
      });
      await s.events('2026-02-10T00:00:00Z', 2);
      await s.at('2026-03-01T01:00:00Z');
      await s.events('2026-03-10T00:00:00Z', 4);
      await s.at('2026-04-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 5 USD: Calls 5×1=5',
      '2026-01-01..2026-03-01 paid 0 USD: Calls 2×1=2; Calls: voided events 1×-2=-2',
      '2026-01-01..2026-04-01 paid 1 USD: Calls 4×1=4; Calls: voided events 1×-3=-3',
    ],
  },
  {
    title: 'the anchor on the 31st goes to the end of short months and back',
    start: '2026-01-31T00:00:00Z',
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10')]));
      await s.at('2026-04-30T00:00:00Z');
    },
    bills: [
      '2026-01-31..2026-02-28 paid 10 USD: Fee 1×10=10',
      '2026-02-28..2026-03-31 paid 10 USD: Fee 1×10=10',
      '2026-03-31..2026-04-30 paid 10 USD: Fee 1×10=10',
      '2026-04-30..2026-05-31 paid 10 USD: Fee 1×10=10',
    ],
  },
  {
    title: 'a year from the leap day',
    start: '2028-02-29T00:00:00Z',
    tell: async (s) => {
      const yearly = fee('100', { billing_cadence: 'P1Y' });
      await s.subscribe(await s.plan('p', [yearly], { billing_cadence: 'P1Y' }));
      await s.at('2029-02-28T00:00:00Z');
    },
    bills: ['2028-02-29..2029-02-28 paid 100 USD: Fee 1×100=100', '2029-02-28..2030-02-28 paid 100 USD: Fee 1×100=100'],
  },
  {
    title: 'a start in the middle of an anchored month pays its part of the fee, and all of its usage',
    start: '2026-01-16T00:00:00Z',
    tell: async (s) => {
      const plan = await s.plan('p', [fee('31'), usage('1')]);
      await s.subscribe(plan, { billing_anchor: JAN });
      await s.events('2026-01-15T00:00:00Z', 9);
      await s.events('2026-01-20T00:00:00Z', 2);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: [
      '2026-01-16..2026-02-01 paid 16 USD: Fee 1×16=16',
      '2026-01-16..2026-03-01 paid 33 USD: Calls 2×1=2; Fee 1×31=31',
    ],
  },
  {
    title: 'a trial phase is free, what was used in it too',
    start: JAN,
    tell: async (s) => {
      const phases = [
        { key: 'trial', name: 'Trial', duration: 'P14D', rate_cards: [usage({ type: 'free' })] },
        { key: 'paid', name: 'Paid', rate_cards: [fee('10'), usage('1')] },
      ];
      await s.subscribe(await s.plan('p', [], { phases }), { billing_anchor: '2026-01-15T00:00:00Z' });
      await s.events('2026-01-10T00:00:00Z', 7);
      await s.at('2026-01-15T00:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-02-15T01:00:00Z');
    },
    bills: [
      '2026-01-15..2026-02-15 paid 10 USD: Fee 1×10=10',
      '2026-01-15..2026-03-15 paid 13 USD: Calls 3×1=3; Fee 1×10=10',
    ],
  },
  {
    title: 'an upgrade in the middle of the month gives unused time back',
    start: JAN,
    tell: async (s) => {
      const [small, large] = [await s.plan('small', [fee('31')]), await s.plan('large', [fee('62')])];
      const { id } = await s.subscribe(small);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      const customer = { id: s.customer.id };
      await s.ok('POST', `/subscriptions/${id}/change`, { customer, plan: { id: large.id }, timing: 'immediate' });
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31',
      '2026-01-11..2026-02-01 paid 21 USD: Fee 1×42=42; Fee: unused time 1×-21=-21',
      '2026-02-01..2026-03-01 paid 62 USD: Fee 1×62=62',
    ],
  },
  {
    title: 'a downgrade gives back more than the new fee: the rest stays for the month after',
    start: JAN,
    tell: async (s) => {
      const [large, small] = [await s.plan('large', [fee('62')]), await s.plan('small', [fee('31')])];
      const { id } = await s.subscribe(large);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      const customer = { id: s.customer.id };
      await s.ok('POST', `/subscriptions/${id}/change`, { customer, plan: { id: small.id }, timing: 'immediate' });
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 62 USD: Fee 1×62=62',
      '2026-01-11..2026-02-01 paid 0 USD: Fee 1×21=21; Fee: unused time 1×-21=-21',
      '2026-01-11..2026-03-01 paid 10 USD: Fee 1×31=31; Fee: unused time 1×-21=-21',
    ],
  },
  {
    title: 'a profile may keep what was paid for unused time',
    start: JAN,
    tell: async (s) => {
      const profile = '01JD0000000000000000000002';
      await s.ok('PUT', `/profiles/${profile}/adjustment-settings`, { late_usage: 'bill', unused_time: 'keep' });
      const [small, large] = [await s.plan('small', [fee('31')]), await s.plan('large', [fee('62')])];
      const { id } = await s.subscribe(small);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      const customer = { id: s.customer.id };
      await s.ok('POST', `/subscriptions/${id}/change`, { customer, plan: { id: large.id }, timing: 'immediate' });
    },
    bills: ['2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31', '2026-01-11..2026-02-01 paid 42 USD: Fee 1×42=42'],
  },
  {
    title: 'late usage may only be reported',
    start: JAN,
    tell: async (s) => {
      const profile = '01JD0000000000000000000002';
      await s.ok('PUT', `/profiles/${profile}/adjustment-settings`, { late_usage: 'report', unused_time: 'credit' });
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.at('2026-02-01T01:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-03-01T01:00:00Z');
      const { data } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
      expect(data).toMatchObject([{ reason: 'late_usage', amount: '3', state: 'reported' }]);
    },
    bills: ['2026-01-01..2026-02-01 paid 0 USD: Calls nothing=0', '2026-02-01..2026-03-01 paid 0 USD: Calls nothing=0'],
  },
  {
    title: 'a cancellation at the end of the month bills its usage and no more',
    start: JAN,
    tell: async (s) => {
      const { id } = await s.subscribe(await s.plan('p', [fee('10'), usage('1')]));
      s.backend.clock.set('2026-01-20T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'next_billing_cycle' });
      await s.events('2026-01-25T00:00:00Z', 2);
      await s.at('2026-04-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10', '2026-01-01..2026-02-01 paid 2 USD: Calls 2×1=2'],
  },
  {
    title: 'a cancellation at once bills usage up to then; unused time waits for a customer that returns',
    start: JAN,
    tell: async (s) => {
      const plan = await s.plan('p', [fee('31'), usage('1')]);
      const { id } = await s.subscribe(plan);
      await s.events('2026-01-05T00:00:00Z', 2);
      await s.events('2026-01-25T00:00:00Z', 9);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'immediate' });
      await s.at('2026-01-11T01:00:00Z');
      s.backend.clock.set('2026-03-01T00:00:00Z');
      await s.subscribe(plan);
    },
    bills: [
      '2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31',
      '2026-01-01..2026-02-01 paid 0 USD: Calls 2×1=2; Fee: unused time 1×-2=-2',
      '2026-01-11..2026-04-01 paid 12 USD: Fee 1×31=31; Fee: unused time 1×-19=-19',
    ],
  },
  {
    title: 'a cancellation that is taken back changes nothing',
    start: JAN,
    tell: async (s) => {
      const { id } = await s.subscribe(await s.plan('p', [fee('10')]));
      await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'next_billing_cycle' });
      s.backend.clock.set('2026-01-10T00:00:00Z');
      await s.ok('POST', `/subscriptions/${id}/unschedule-cancelation`);
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10', '2026-02-01..2026-03-01 paid 10 USD: Fee 1×10=10'],
  },
  {
    title: 'a month without usage has an invoice of nothing',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 0 USD: Calls nothing=0'],
  },
  {
    title: 'a free plan has no invoices',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage({ type: 'free' })]));
      await s.events('2026-01-10T00:00:00Z', 3);
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: [],
  },
  {
    title: 'packages are billed whole',
    start: JAN,
    tell: async (s) => {
      const unit_config = { operation: 'divide', conversion_factor: '5', rounding: 'ceiling' };
      await s.subscribe(await s.plan('p', [usage('3', { unit_config })]));
      await s.events('2026-01-10T00:00:00Z', 6);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 6 USD: Calls 2×3=6'],
  },
  {
    title: 'free units, a percentage off, and a fee only for what is left',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1', { discounts: { usage: '4', percentage: 25 } })]));
      await s.events('2026-01-10T00:00:00Z', 8);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 3 USD: Calls 4×1-1=3'],
  },
  {
    title: 'minimum and maximum spend',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1', { commitments: { minimum_amount: '5', maximum_amount: '8' } })]));
      await s.events('2026-01-10T00:00:00Z', 2);
      await s.events('2026-02-10T00:00:00Z', 12);
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 5 USD: Calls 2×1+1×3=5', '2026-02-01..2026-03-01 paid 8 USD: Calls 12×1-4=8'],
  },
  {
    title: 'an anchor at the very first instant that is counted',
    start: '2026-01-15T00:00:00Z',
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('31')]), { billing_anchor: '1970-01-01T00:00:00Z' });
    },
    bills: ['2026-01-15..2026-02-01 paid 17 USD: Fee 1×17=17'],
  },
  {
    title: 'progressive billing goes on in the tier where the part before ended',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage(GRADUATED)]));
      await s.events('2026-01-05T00:00:00Z', 3);
      s.backend.clock.set('2026-01-10T00:00:00Z');
      await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
      await s.at('2026-01-10T01:00:00Z');
      await s.events('2026-01-15T00:00:00Z', 6);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-01-10 paid 5 USD: Calls 3×1+1×2=5',
      '2026-01-10..2026-02-01 paid 4 USD: Calls 2×1+4×0.5=4',
    ],
  },
  {
    title: 'an event late for the first part of a period is billed with the second',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      s.backend.clock.set('2026-01-10T00:00:00Z');
      await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
      await s.at('2026-01-10T01:00:00Z');
      await s.events('2026-01-05T00:00:00Z', 4);
      await s.events('2026-01-15T00:00:00Z', 1);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-01-10 paid 0 USD: Calls nothing=0', '2026-01-10..2026-02-01 paid 5 USD: Calls 5×1=5'],
  },
  {
    title: 'a minimum spend falls due once, with the last part of the period',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1', { commitments: { minimum_amount: '10' } })]));
      await s.events('2026-01-05T00:00:00Z', 3);
      s.backend.clock.set('2026-01-10T00:00:00Z');
      await s.ok('POST', `/customers/${s.customer.id}/invoices`, {});
      await s.at('2026-01-10T01:00:00Z');
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-01-10 paid 3 USD: Calls 3×1=3', '2026-01-10..2026-02-01 paid 7 USD: Calls 1×7=7'],
  },
  {
    title: 'without progressive billing nothing of a running period is invoiced',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-05T00:00:00Z', 3);
      s.backend.clock.set('2026-01-10T00:00:00Z');
      const refused = await s.backend.request('POST', `/customers/${s.customer.id}/invoices`, {
        body: { progressive_billing: false },
      });
      expect(refused.json.extensions.validationErrors[0].code).toBe('invoice_create_no_lines');
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 3 USD: Calls 3×1=3'],
  },
  {
    title: 'a customer that is created after its events is billed from its subscription on',
    start: '2026-01-10T12:00:00Z',
    tell: async (s) => {
      await s.events('2026-01-10T11:59:59Z', 5);
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2026-01-10T12:00:00Z', 2);
      await s.at('2026-02-10T13:00:00Z');
    },
    bills: ['2026-01-10T12:00Z..2026-02-10T12:00Z paid 2 USD: Calls 2×1=2'],
  },
  {
    title: 'usage in a sum with fractions is rounded once, at the end',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('0.001', { key: 'tokens', name: 'Tokens' })]));
      await s.events('2026-01-10T00:00:00Z', 3, { type: 'tokens', value: 1234.5 });
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 3.7 USD: Tokens 3703.5×0.001=3.7'],
  },
  {
    title: 'a service that was down for three months makes the invoices that it owed, month by month',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10'), usage('1')]));
      for (const month of ['01', '02', '03']) await s.events(`2026-${month}-10T00:00:00Z`, 1);
      await s.at('2026-04-05T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-03-01 paid 11 USD: Calls 1×1=1; Fee 1×10=10',
      '2026-02-01..2026-04-01 paid 11 USD: Calls 1×1=1; Fee 1×10=10',
      '2026-03-01..2026-05-01 paid 11 USD: Calls 1×1=1; Fee 1×10=10',
    ],
  },
  {
    title: 'two currencies are two invoices',
    start: JAN,
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [fee('10')]));
      await s.ok('POST', `/customers/${s.customer.id}/charges`, {
        type: 'flat_fee',
        name: 'Setup',
        currency: 'EUR',
        invoice_at: '2026-01-02T00:00:00Z',
        service_period: { from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00Z' },
        settlement_mode: 'credit_then_invoice',
        payment_term: 'in_advance',
        proration_configuration: { mode: 'no_proration' },
        amount_before_proration: { amount: '99.99', currency: 'EUR' },
      });
      await s.at('2026-01-02T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-02..2026-01-02 paid 99.99 EUR: Setup 1×99.99=99.99',
    ],
  },
  {
    title: 'a one-time fee is billed once',
    start: JAN,
    tell: async (s) => {
      const { billing_cadence: _, ...once } = fee('50', { key: 'setup', name: 'Setup' });
      await s.subscribe(await s.plan('p', [once, fee('10')]));
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 60 USD: Setup 1×50=50; Fee 1×10=10',
      '2026-02-01..2026-03-01 paid 10 USD: Fee 1×10=10',
    ],
  },
  {
    title: 'a new price version is for those who migrate, from then on',
    start: JAN,
    tell: async (s) => {
      const { id } = await s.subscribe(await s.plan('p', [fee('31')]));
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.plan('p', [fee('62')]);
      await s.ok('POST', `/subscriptions/${id}/migrate`, { timing: 'immediate' });
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 31 USD: Fee 1×31=31',
      '2026-01-11..2026-02-01 paid 21 USD: Fee 1×42=42; Fee: unused time 1×-21=-21',
      '2026-02-01..2026-03-01 paid 62 USD: Fee 1×62=62',
    ],
  },
  {
    title: 'a daily fee on a weekly invoice',
    start: JAN,
    tell: async (s) => {
      const daily = fee('1', { billing_cadence: 'P1D', payment_term: 'in_arrears' });
      await s.subscribe(await s.plan('p', [daily], { billing_cadence: 'P1W' }));
      await s.at('2026-01-08T00:00:00Z');
    },
    bills: [`2026-01-01..2026-01-08 paid 7 USD: ${Array.from({ length: 7 }, () => 'Fee 1×1=1').join('; ')}`],
  },
];

tellStories(STORIES);
