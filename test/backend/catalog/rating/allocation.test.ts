import { describe, expect, test } from 'vitest';
import { allocate } from '../../../../backend/catalog/rating/index.ts';
import { errorOf, JPY, USD } from '../../../support/catalog/rating.ts';

const weigh = (weights: Record<string, string>) => Object.entries(weights).map(([key, weight]) => ({ key, weight }));
const split = (amount: string, weights: Record<string, string>, currency = USD) =>
  allocate(amount, weigh(weights), currency).map(({ key, amount: share }) => `${key}=${share}`);

test.each([
  ['0.05', { A: '1', B: '1', C: '1' }, ['A=0.02', 'B=0.02', 'C=0.01']],
  ['0.01', { A: '100', B: '1' }, ['A=0.01']],
  ['0.01', { A: '1', B: '100' }, ['B=0.01']],
  ['1.00', { A: '1', B: '0' }, ['A=1']],
  ['10', { A: '0.1', B: '0.2', C: '0.7' }, ['A=1', 'B=2', 'C=7']],
  ['0', { A: '1' }, []],
  // The largest remainder wins over the order: 0.6 of a cent against 0.4.
  ['0.01', { A: '4', B: '6' }, ['B=0.01']],
  ['-0.05', { A: '1', B: '1', C: '1' }, ['A=-0.02', 'B=-0.02', 'C=-0.01']],
] as [string, Record<string, string>, string[]][])('%s by %j', (amount, weights, expected) => {
  expect(split(amount, weights)).toEqual(expected);
});

test('splits whole units of a currency without digits', () => {
  expect(split('5', { A: '1', B: '1', C: '1' }, JPY)).toEqual(['A=2', 'B=2', 'C=1']);
});

test('equal remainders compare as equal, however long the quotients are', () => {
  const weights = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`w${index}`, '0.1428571428571']));
  expect(split('0.03', weights)).toEqual(['w0=0.01', 'w1=0.01', 'w2=0.01']);
});

describe('cannot be allocated', () => {
  test.each([
    ['0.001', { A: '1' }],
    ['1', { A: '-1', B: '2' }],
    ['1', { A: '0', B: '0' }],
    ['1', {}],
  ] as [string, Record<string, string>][])('%s by %j', (amount, weights) => {
    expect(errorOf(() => split(amount, weights)).code).toBe('invalid_allocation');
  });

  test('what is no number', () => {
    expect(errorOf(() => split('1', { A: 'NaN' })).code).toBe('invalid_number');
    expect(errorOf(() => split('one', { A: '1' })).code).toBe('invalid_number');
  });
});
