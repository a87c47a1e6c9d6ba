import { expect, test } from 'vitest';
import { Decimal } from '../../backend/platform/decimal.ts';
import { fee, openStory, usage } from '../scenarios/billing/story.ts';
import { fc } from '../support/property.ts';
import { cards } from './rating-cards.ts';
import { exactUnits } from './rating-exact.ts';

/**
 * A quarter that is invoiced in three parts, with usage that comes late for parts that are billed, is voided, and comes
 * when all is billed: what stands on invoices and waits for the next one is what the quarter costs, to the cent.
 */
const RUNS = process.env['LONG'] === '1' ? 60 : 4;

const card = cards({
  models: ['unit', 'graduated'],
  priceDigits: 3,
  quantityDigits: 0,
  percentageDigits: 1,
  unitConfig: fc.option(
    fc.constantFrom(
      { operation: 'divide' as const, conversion_factor: '3' },
      { operation: 'multiply' as const, conversion_factor: '0.7' },
    ),
    { nil: undefined },
  ),
});
const month = fc.record({
  calls: fc.integer({ min: 0, max: 12 }),
  /** Of the first month, sent in this one. */
  late: fc.integer({ min: 0, max: 5 }),
  /** What the first month has by then is void. */
  voids: fc.boolean(),
});

const day = (monthIndex: number, date: number) => new Date(Date.UTC(2026, monthIndex, date)).toISOString();

test('parts and their corrections come to what the whole costs', async () => {
  await fc.assert(
    fc.asyncProperty(card, fc.tuple(month, month, month, month), async (terms, months) => {
      const s = await openStory(day(0, 1));
      try {
        const { price, commitments, discounts, unit_config } = JSON.parse(JSON.stringify(terms));
        for (const tier of price.tiers ?? []) {
          if (tier.flat_price) tier.flat_price.type = 'flat';
          if (tier.unit_price) tier.unit_price.type = 'unit';
        }
        const percentage = discounts.percentage === undefined ? {} : { percentage: Number(discounts.percentage) };
        const fields = { billing_cadence: 'P3M', commitments, unit_config, discounts: { ...discounts, ...percentage } };
        const { id } = await s.subscribe(await s.plan('p', [fee('1'), usage(price, fields)]));
        let [first, rest] = [0, 0];
        for (const [index, { calls, late, voids }] of months.entries()) {
          s.backend.clock.set(day(index, 20));
          if (index === 2) await s.ok('POST', `/subscriptions/${id}/cancel`, { timing: 'next_billing_cycle' });
          const filter = { time: { lt: day(1, 1) } };
          if (voids && index > 0) await s.ok('POST', '/events/corrections', { action: 'void', reason: 'test', filter });
          if (voids && index > 0) first = 0;
          await s.events(day(0, 10), late);
          first += late;
          // The fourth month is after the end: what is sent then counts for nobody.
          await s.events(day(index, 10), calls);
          if (index === 0) first += calls;
          else if (index < 3) rest += calls;
          await s.at(day(index + 1, 1).replace('T00:', 'T01:'));
        }
        await s.at(day(4, 4));
        const { data } = await s.ok('GET', `/customers/${s.customer.id}/billing-corrections?page[size]=1000`);
        const own = [
          ...(await s.invoices()).flatMap(({ lines }) => lines).map(({ name, totals }) => [name, totals.total]),
          ...data
            .filter(({ state }: { state: string }) => state === 'pending')
            .map(({ name, amount }: { name: string; amount: string }) => [name, amount]),
        ].filter(([name]) => name.startsWith('Calls'));
        const total = Decimal.sum(0, ...own.map(([, amount]) => amount));
        expect(total.mul(100).toFixed()).toBe(exactUnits(terms, String(first + rest), 2).toString());
      } finally {
        await s.close();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
