import { expect, test } from 'vitest';
import {
  fromPhase,
  fromRateCard,
  phaseSchema,
  phasesFromJson,
  phasesToJson,
  rateCardSchema,
  rateCardsFromJson,
  rateCardsToJson,
  toPhase,
  toRateCard,
} from '../../../../backend/catalog/product-catalog/index.ts';
import { rate } from '../../../../backend/catalog/rating/index.ts';
import { parseJsonText } from '../../../../backend/platform/json.ts';

const ULID = '01G65Z755AFWAKHE12NY0CQ9FH';
const FULL = `{
  "name": "Requests", "description": "All of them", "labels": { "team": "api" }, "key": "requests",
  "feature": { "id": "${ULID}" }, "currency": "EUR", "billing_cadence": "P1M",
  "price": { "type": "graduated", "tiers": [
    { "up_to_amount": "10", "flat_price": { "type": "flat", "amount": "1.50" } },
    { "unit_price": { "type": "unit", "amount": "0.00002" } } ] },
  "unit_config": { "operation": "divide", "conversion_factor": "5000", "rounding": "ceiling", "precision": 0 },
  "payment_term": "in_arrears",
  "commitments": { "minimum_amount": "5", "maximum_amount": "100" },
  "discounts": { "percentage": 12.3456789012345678901, "usage": "3" },
  "tax_config": { "behavior": "inclusive", "code": { "id": "${ULID}" } },
  "entitlement": { "type": "metered", "is_soft_limit": true, "limit": 9007199254740993, "usage_period": "P1D" }
}`;

/** As the server reads a body, stores it, reads it again and answers. */
function throughTheStore(json: string): string {
  const card = toRateCard(rateCardSchema.parse(parseJsonText(json)));
  return JSON.stringify(rateCardsFromJson(rateCardsToJson([card])).map(fromRateCard)[0]);
}

test('a rate card comes back as it was, with every digit', () => {
  const answer = throughTheStore(FULL);
  expect(JSON.parse(answer)).toEqual(JSON.parse(FULL));
  expect(answer).toContain('12.3456789012345678901');
  expect(answer).toContain('9007199254740993');
});

test('what is left out gets the documented defaults', () => {
  const flat = '{"name":"Fee","key":"fee","price":{"type":"flat","amount":"10"},"discounts":{},"billing_cadence":null}';
  expect(JSON.parse(throughTheStore(flat))).toEqual({
    name: 'Fee',
    key: 'fee',
    price: { type: 'flat', amount: '10' },
    payment_term: 'in_arrears',
  });
  const metered = toRateCard(
    rateCardSchema.parse({
      name: 'R',
      key: 'r',
      billing_cadence: 'P1M',
      price: { type: 'unit', amount: '1' },
      unit_config: { operation: 'multiply', conversion_factor: '2' },
      entitlement: { type: 'metered', limit: 1e21 },
    }),
  );
  expect(metered.entitlement).toEqual({
    type: 'metered',
    isSoftLimit: false,
    usagePeriod: 'P1M',
    limit: '1000000000000000000000',
  });
  expect(metered.terms.unit_config).toEqual({
    operation: 'multiply',
    conversion_factor: '2',
    rounding: 'none',
    precision: 0,
  });
});

test('a static entitlement keeps its JSON', () => {
  const config = '{"models":["a","b"],"n":0.1000000000000000000001,"deep":{"x":null}}';
  const card = `{"name":"S","key":"s","price":{"type":"free"},"entitlement":{"type":"static","config":${config}}}`;
  expect(throughTheStore(card)).toContain(`"config":${config}`);
});

test.each([
  [{ price: { type: 'unit', amount: '1' }, payment_term: 'in_advance' }, 'payment_term'],
  [{ entitlement: { type: 'metered', limit: 1 } }, 'entitlement.usage_period'],
  [{ entitlement: { type: 'metered', limit: -1, usage_period: 'P1D' } }, 'entitlement.limit'],
  [{ entitlement: { type: 'static' } }, 'entitlement.config'],
  [{ entitlement: { type: 'boolean', limit: 1 } }, 'entitlement'],
  [{ price: { type: 'package', amount: '1' } }, 'price.type'],
  [{ price: { type: 'flat', amount: 1 } }, 'price.amount'],
  [{ price: { type: 'flat', amount: '1e3' } }, 'price.amount'],
  [{ price: { type: 'volume', tiers: [] } }, 'price.tiers'],
  [{ billing_cadence: 'P1.5M' }, 'billing_cadence'],
  [{ discounts: { percentage: '10' } }, 'discounts.percentage'],
  [{ currency: 'usd' }, 'currency'],
  [{ unknown: 1 }, ''],
])('refuses %j', (change, path) => {
  const card = { name: 'C', key: 'c', price: { type: 'free' }, ...change };
  const issues = rateCardSchema.safeParse(card).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

test('a phase comes back as it was', () => {
  const phase = {
    name: 'Trial',
    description: 'First month',
    labels: { a: 'b' },
    key: 'trial',
    duration: 'P1M',
    rate_cards: [{ name: 'Fee', key: 'fee', price: { type: 'free' }, payment_term: 'in_arrears' }],
  };
  const stored = phasesFromJson(phasesToJson([toPhase(phaseSchema.parse(phase))]));
  expect(JSON.parse(JSON.stringify(stored.map(fromPhase)))).toEqual([phase]);
});

test('the terms of a card are what rating takes', () => {
  const card = toRateCard(rateCardSchema.parse(parseJsonText(FULL)));
  const currency = { code: 'EUR', digits: 2 };
  // 61,000 requests are 13 packages, 3 of them free: 10 in the first tier for 1.50, less 12.3…% is 1.31, at least 5.
  expect(rate({ name: 'Requests', currency, terms: card.terms, quantity: '61000' }).totals.total).toBe('5');
});
