import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type CatalogUnderTest, startCatalog } from '../support/catalog/catalog-command.ts';
import { fc } from '../support/property.ts';

/** Each run is some dozens of calls over HTTP, more as the catalog grows. */
const RUNS = process.env['LONG'] ? 40 : 3;

let t: CatalogUnderTest;
beforeAll(async () => {
  t = await startCatalog();
});
afterAll(() => t.close());

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
/** Numbers in any notation that a file may have: padded, with trailing zeros, as text or bare. */
const decimal = fc.tuple(digits(18), fc.option(digits(18))).map(([whole, part]) => `${whole}${part ? `.${part}` : ''}`);
const positive = decimal.filter((text) => /[1-9]/.test(text));
const name = fc.stringMatching(/^[\p{L}\p{N}:#'"-]{1,3}[\p{L}\p{N}:#'" -]{0,20}$/u);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const labels = optional(fc.dictionary(fc.stringMatching(/^x[a-z]{0,5}$/), fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/)));
const named = { name, description: optional(name), labels };

const flat = decimal.map((amount) => ({ type: 'flat', amount }));
const unit = decimal.map((amount) => ({ type: 'unit', amount }));
const tiers = fc
  .uniqueArray(fc.integer({ min: 1, max: 1e9 }), { maxLength: 4 })
  .chain((bounds) =>
    fc.tuple(...[...bounds, undefined].map((bound) => tier(bound === undefined ? undefined : `${bound}.50`))),
  );
const tier = (up_to_amount: string | undefined) =>
  fc
    .record({ flat_price: optional(flat), unit_price: unit })
    .map((prices) => ({ ...(up_to_amount && { up_to_amount }), ...prices }));
const usagePrice = fc.oneof(
  unit,
  tiers.map((list) => ({ type: 'graduated', tiers: list })),
  tiers.map((list) => ({ type: 'volume', tiers: list })),
);
const unitConfig = fc.record({
  operation: fc.constantFrom('divide', 'multiply'),
  conversion_factor: positive,
  rounding: optional(fc.constantFrom('none', 'ceiling', 'floor', 'half_up')),
  precision: optional(fc.integer({ min: 0, max: 6 })),
  display_unit: optional(name),
});
const discounts = fc.record({
  percentage: optional(fc.double({ min: 1e-30, max: 100, noNaN: true })),
  usage: optional(decimal),
});
const entitlement = fc.oneof(
  fc.record({
    type: fc.constant('metered'),
    limit: fc.maxSafeNat(),
    is_soft_limit: optional(fc.boolean()),
    usage_period: optional(fc.constantFrom('P1D', 'P1M')),
  }),
  fc.record({ type: fc.constant('boolean') }),
  fc.record({ type: fc.constant('static'), config: fc.jsonValue({ maxDepth: 2 }) }),
);
const usageCard = fc.record({
  ...named,
  price: usagePrice,
  billing_cadence: fc.constant('P1M'),
  unit_config: optional(unitConfig),
  discounts: optional(discounts),
  entitlement: optional(entitlement),
});
const feeCard = fc.record({
  ...named,
  price: flat,
  billing_cadence: optional(fc.constantFrom('P1M', 'P1Y')),
  payment_term: optional(fc.constantFrom('in_advance', 'in_arrears')),
});
const catalog = fc.record({
  meter: fc.record(named),
  feature: fc.record({ ...named, unit_cost: optional(decimal.map((amount) => ({ type: 'manual', amount }))) }),
  usageCard,
  feeCard,
  plan: fc.record({
    ...named,
    status: optional(fc.constantFrom('active', 'draft')),
    pro_rating_enabled: optional(fc.boolean()),
  }),
});

let count = 0;
function fileOf(parts: ReturnType<typeof JSON.parse>): string {
  const key = `k${count++}`;
  const file = {
    meters: [{ key, ...parts.meter, aggregation: 'count', event_type: key, dimensions: { d: '$.d' } }],
    features: [{ key, ...parts.feature, meter: { key, filters: { d: { or: [{ eq: 'a' }, { contains: 'b' }] } } } }],
    plans: [
      {
        key,
        ...parts.plan,
        currency: 'USD',
        billing_cadence: 'P1M',
        phases: [
          {
            key: 'default',
            name: 'Default',
            rate_cards: [
              { key, ...parts.usageCard, feature: { key } },
              { key: 'fee', ...parts.feeCard },
            ],
          },
        ],
      },
    ],
  };
  return stringify(JSON.parse(JSON.stringify(file)));
}

test('applied once, every catalog is there: nothing to do again, nor after a dump', async () => {
  await fc.assert(
    fc.asyncProperty(catalog, async (parts) => {
      expect(await t.run('apply FILE --yes', fileOf(parts))).toMatchObject({ code: 0, err: '' });
      expect(await t.run('diff FILE --non-zero-exit-code')).toMatchObject({ code: 0, err: '' });
    }),
    { numRuns: RUNS },
  );
  const { out: dump } = await t.run('dump -');
  expect(await t.run('diff FILE --prune --non-zero-exit-code', dump)).toMatchObject({ code: 0, err: '' });
});
