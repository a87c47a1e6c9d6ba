import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type PricingTerms, runningAmount, unitsLeft } from '../../../../backend/catalog/rating/index.ts';
import { Decimal, formatDecimal } from '../../../../backend/platform/decimal.ts';

/** A price as the cases write it, where it differs from ours. */
type CasePrice =
  | { type: 'unit'; amount: string }
  | { type: 'package'; amount: string; quantity: number }
  | { type: 'graduated' | 'volume'; tiers: { up_to?: string; unit: string }[] };

interface Case {
  name: string;
  given: {
    settled: string;
    usage: number;
    price: CasePrice;
    maximum?: string;
    /** What of the usage is booked already. */
    realized?: string;
    nodes?: number;
    units_per_second_per_node?: number;
    refresh_seconds?: number;
    ingest_lag_seconds?: number;
  };
  expected: {
    rated?: string;
    amount_left?: string;
    units_left: number | 'unlimited';
    next_unit?: string;
    has_access?: boolean;
    overshoot_units?: number;
    overshoot_amount?: string;
  };
}

const cases = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/credit-authorisation.json', import.meta.url), 'utf8'),
) as Case[];

function termsOf({ price, maximum }: Case['given']): PricingTerms {
  const commitments = maximum === undefined ? undefined : { maximum_amount: maximum };
  switch (price.type) {
    case 'unit':
      return { price, commitments };
    case 'package':
      return {
        price: { type: 'unit', amount: price.amount },
        unit_config: { operation: 'divide', conversion_factor: String(price.quantity), rounding: 'ceiling' },
        commitments,
      };
    case 'graduated':
    case 'volume': {
      const tiers = price.tiers.map(({ up_to, unit }) => ({
        up_to_amount: up_to,
        unit_price: { type: 'unit' as const, amount: unit },
      }));
      return { price: { type: price.type, tiers }, commitments };
    }
  }
}

test.each(cases)('credits: $name', ({ given, expected }) => {
  const running = { terms: termsOf(given), quantity: String(given.usage) };
  const rated = runningAmount(running);
  const left = new Decimal(given.settled).add(given.realized ?? '0').sub(rated);
  const { units, nextUnitCost } = unitsLeft([running], formatDecimal(left));
  const { nodes = 0, units_per_second_per_node: speed = 0, refresh_seconds = 0, ingest_lag_seconds = 0 } = given;
  // What nodes that share nothing may let through before they hear of each other.
  const overshoot = nodes * speed * (refresh_seconds + ingest_lag_seconds);
  expect({
    rated,
    amount_left: formatDecimal(left),
    units_left: units === undefined ? 'unlimited' : Number(units),
    next_unit: nextUnitCost,
    has_access: units !== '0',
    overshoot_units: overshoot,
    overshoot_amount: formatDecimal(new Decimal(overshoot).mul(nextUnitCost)),
  }).toMatchObject(expected);
});
