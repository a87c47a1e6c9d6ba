import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PLAN_CADENCES } from '../../backend/catalog/plans/index.ts';
import { ISSUE_CODES, rateCardSchema, toRateCard } from '../../backend/catalog/product-catalog/index.ts';
import { rate } from '../../backend/catalog/rating/index.ts';

const PAGE = readFileSync('docs/catalog.md', 'utf8');

/** Each rate card of the page, and the table of quantities and what they cost that follows it. */
const examples = PAGE.split('```json rate-card\n')
  .slice(1)
  .map((text) => {
    const [json = '', after = ''] = text.split('```\n');
    const rows = [...(after.trimStart().split('\n\n')[0] ?? '').matchAll(/^\| ([\d.]+) \| ([\d.]+) \|$/gm)];
    return { json, costs: rows.map(([, quantity = '', costs = '']) => [quantity, costs] as const) };
  });

test('the page has an example of every price model', () => {
  const types = examples.map(({ json }) => JSON.parse(json).price.type as string);
  expect([...new Set(types)].toSorted()).toEqual(['flat', 'free', 'graduated', 'unit', 'volume']);
});

test.each(examples)('costs what the page says: $json', ({ json, costs }) => {
  const { name, terms } = toRateCard(rateCardSchema.parse(JSON.parse(json)));
  const currency = { code: 'USD', digits: 2 };
  expect(costs.length).toBeGreaterThan(0);
  const rated = costs.map(([quantity]) => [quantity, rate({ name, currency, terms, quantity }).totals.total]);
  expect(rated).toEqual(costs);
});

test('every validation code stands in the table, with its severity and meaning', () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+)` \| (critical|warning) \| (.+) \|$/gm)];
  const described = Object.fromEntries(rows.map(([, code = '', severity, message]) => [code, { severity, message }]));
  expect(described).toEqual(ISSUE_CODES);
});

test('the cadences of plans are named', () => {
  const sentence = /is how often customers are billed:([^.]+)\./.exec(PAGE)?.[1] ?? '';
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, cadence]) => cadence)).toEqual(PLAN_CADENCES);
});
