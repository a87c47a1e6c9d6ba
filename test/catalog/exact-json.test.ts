import { expect, test } from 'vitest';
import {
  decimalTextOf,
  exactNumber,
  isExactNumber,
  parseExactJson,
  shortestDecimal,
} from '../../catalog/exact-json.ts';
import { fc } from '../support/property.ts';

test.each([
  ['1.50', '1.5'],
  ['007', '7'],
  ['-0.0', '0'],
  ['-0.10', '-0.1'],
  ['100', '100'],
  ['0.0001', '0.0001'],
])('the shortest form of %s is %s', (text, expected) => {
  expect(shortestDecimal(text)).toBe(expected);
});

test.each([
  [1e-7, '0.0000001'],
  [1.25e-7, '0.000000125'],
  [-1.5e21, '-1500000000000000000000'],
  [1e21, '1000000000000000000000'],
  [12.5, '12.5'],
  [0, '0'],
])('%d has no exponent as %s', (number, expected) => {
  expect(decimalTextOf(number)).toBe(expected);
});

test('the text of every number is that number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const text = decimalTextOf(number);
      expect(text).toMatch(/^-?\d+(\.\d+)?$/);
      expect(Number(text)).toBe(number === 0 ? 0 : number);
    }),
  );
});

test('numbers that a double would change are kept as written, others are plain', () => {
  const text = '[1,1.5,12345678901234567890,0.10,1e2,"1",null]';
  const parsed = parseExactJson(text) as unknown[];
  expect(parsed.map(isExactNumber)).toEqual([false, false, true, true, true, false, false]);
  expect(JSON.stringify(parsed)).toBe(text);
  expect(exactNumber('7')).toBe(7);
});
