import { fee, type Story, type Told, tellStories, usage } from './story.ts';

const JAN = '2026-01-01T00:00:00Z';

/** A plan with a fee of 10, and an add-on of 31 for each seat. */
async function seats(s: Story) {
  const seat = await s.addon('seat', [fee('31', { key: 'seat', name: 'Seat' })]);
  const subscription = await s.subscribe(await s.plan('p', [fee('10')], { addons: [seat] }));
  return { seat, subscription };
}

const STORIES: Told[] = [
  {
    title: 'an add-on bought twice: the second one pays for the rest of the month, the first one goes on',
    start: JAN,
    tell: async (s) => {
      const { seat, subscription } = await seats(s);
      const bought = await s.buy(subscription, seat);
      s.backend.clock.set('2026-01-16T00:00:00Z');
      await s.setQuantity(subscription, bought, 2);
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-02-01 paid 31 USD: Seat 1×31=31',
      '2026-01-16..2026-02-01 paid 16 USD: Seat 1×16=16',
      '2026-02-01..2026-03-01 paid 72 USD: Fee 1×10=10; Seat 1×31=31; Seat 1×31=31',
    ],
  },
  {
    title: 'two of an add-on at once, of which one is given up in the middle of the month',
    start: JAN,
    tell: async (s) => {
      const { seat, subscription } = await seats(s);
      const bought = await s.buy(subscription, seat, 2);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.setQuantity(subscription, bought, 1);
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-02-01 paid 62 USD: Seat 1×62=62',
      '2026-01-11..2026-02-01 paid 0 USD: Seat 1×21=21; Seat: unused time 1×-21=-21',
      '2026-01-11..2026-03-01 paid 20 USD: Fee 1×10=10; Seat 1×31=31; Seat: unused time 1×-21=-21',
    ],
  },
  {
    title: 'an add-on that is given up and bought again pays for the days that it counted',
    start: JAN,
    tell: async (s) => {
      const { seat, subscription } = await seats(s);
      const bought = await s.buy(subscription, seat);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.setQuantity(subscription, bought, 0);
      s.backend.clock.set('2026-01-21T00:00:00Z');
      await s.setQuantity(subscription, bought, 1);
      await s.at('2026-02-01T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-02-01 paid 31 USD: Seat 1×31=31',
      '2026-01-11..2026-02-01 paid 0 USD: Seat 1×11=11; Seat: unused time 1×-11=-11',
      '2026-01-11..2026-03-01 paid 31 USD: Fee 1×10=10; Seat 1×31=31; Seat: unused time 1×-10=-10',
    ],
  },
  {
    title: 'another plan in the middle of the month: usage before at the old price, usage after at the new one',
    start: JAN,
    tell: async (s) => {
      const [small, large] = [await s.plan('small', [usage('1')]), await s.plan('large', [usage('0.5')])];
      const subscription = await s.subscribe(small);
      await s.events('2026-01-05T00:00:00Z', 3);
      await s.events('2026-01-20T00:00:00Z', 4);
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.change(subscription, large);
      await s.at('2026-02-11T01:00:00Z');
    },
    bills: ['2026-01-01..2026-01-11 paid 3 USD: Calls 3×1=3', '2026-01-11..2026-02-01 paid 2 USD: Calls 4×0.5=2'],
  },
  {
    title: 'a new price version from the next month on, by migration: the running month keeps its price',
    start: JAN,
    tell: async (s) => {
      const { id } = await s.subscribe(await s.plan('p', [usage('1')]));
      s.backend.clock.set('2026-01-11T00:00:00Z');
      await s.plan('p', [usage('2')]);
      await s.ok('POST', `/subscriptions/${id}/migrate`, { timing: 'next_billing_cycle' });
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.events('2026-02-20T00:00:00Z', 3);
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: ['2026-01-01..2026-02-01 paid 3 USD: Calls 3×1=3', '2026-02-01..2026-03-01 paid 6 USD: Calls 3×2=6'],
  },
  {
    title: 'the anchor on the 31st in a leap year: usage to the end of the 29th',
    start: '2028-01-31T00:00:00Z',
    tell: async (s) => {
      await s.subscribe(await s.plan('p', [usage('1')]));
      await s.events('2028-02-28T23:59:59Z', 1);
      await s.events('2028-02-29T00:00:00Z', 2);
      await s.at('2028-03-31T01:00:00Z');
    },
    bills: ['2028-01-31..2028-02-29 paid 1 USD: Calls 1×1=1', '2028-02-29..2028-03-31 paid 2 USD: Calls 2×1=2'],
  },
  {
    title: 'volume prices cannot be billed in parts: what is asked for early waits for the end',
    start: JAN,
    tell: async (s) => {
      const tiers = [
        { up_to_amount: '5', unit_price: { type: 'unit', amount: '1' } },
        { unit_price: { type: 'unit', amount: '0.5' } },
      ];
      await s.subscribe(await s.plan('p', [fee('10'), usage({ type: 'volume', tiers })]));
      await s.events('2026-01-05T00:00:00Z', 4);
      await s.at('2026-01-10T00:00:00Z');
      await s.events('2026-01-15T00:00:00Z', 4);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 10 USD: Fee 1×10=10',
      '2026-01-01..2026-03-01 paid 14 USD: Calls 8×0.5=4; Fee 1×10=10',
    ],
  },
  {
    title: 'an event that crosses the border of a tier late is billed at what it changes',
    start: JAN,
    tell: async (s) => {
      const tiers = [
        { up_to_amount: '5', unit_price: { type: 'unit', amount: '1' } },
        { unit_price: { type: 'unit', amount: '0.5' } },
      ];
      await s.subscribe(await s.plan('p', [usage({ type: 'graduated', tiers })]));
      await s.events('2026-01-05T00:00:00Z', 4);
      await s.at('2026-02-01T01:00:00Z');
      await s.events('2026-01-20T00:00:00Z', 3);
      await s.at('2026-03-01T01:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 4 USD: Calls 4×1=4',
      '2026-01-01..2026-03-01 paid 2 USD: Calls 0×1=0; Calls: late usage 1×2=2',
    ],
  },
  {
    title: 'everything of the month on its first day, by the profile: one invoice',
    start: '2026-01-10T00:00:00Z',
    tell: async (s) => {
      const { profile } = await s.ok('GET', '/profiles').then(({ data }) => ({ profile: data[0] }));
      const { id, apps: _, created_at: _c, updated_at: _u, deleted_at: _d, ...rest } = profile;
      const alignment = { type: 'anchored', recurring_period: { anchor: JAN, interval: 'P1M' } };
      const workflow = { ...rest.workflow, collection: { ...rest.workflow.collection, alignment } };
      await s.ok('PUT', `/profiles/${id}`, { ...rest, workflow });
      await s.subscribe(await s.plan('p', [fee('31'), usage('1')]));
      await s.events('2026-01-20T00:00:00Z', 2);
      await s.at('2026-02-01T01:00:00Z');
    },
    bills: ['2026-01-10..2026-02-10 paid 33 USD: Fee 1×31=31; Calls 2×1=2'],
  },
  {
    title: 'a cancellation while the invoice of the month still waits for late events shortens all of its fees',
    start: JAN,
    tell: async (s) => {
      const seat = await s.addon('seat', [fee('28', { key: 'seat', name: 'Seat' })]);
      const plan = await s.plan('p', [fee('56'), usage('1')], { addons: [seat] });
      const subscription = await s.subscribe(plan);
      await s.buy(subscription, seat);
      await s.at('2026-02-01T00:30:00Z');
      await s.ok('POST', `/subscriptions/${subscription.id}/cancel`, { timing: 'immediate' });
      await s.at('2026-02-02T00:00:00Z');
    },
    bills: [
      '2026-01-01..2026-02-01 paid 56 USD: Fee 1×56=56',
      '2026-01-01..2026-02-01 paid 28 USD: Seat 1×28=28',
      '2026-01-01..2026-02-01T00:30Z paid 0.06 USD: Calls nothing=0; Fee 1×0.04=0.04; Seat 1×0.02=0.02',
      '2026-02-01..2026-02-01T00:30Z paid 0 USD: Calls nothing=0',
    ],
  },
];

tellStories(STORIES);
