import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH, parseJsonBytes, parseJsonText } from '../../../backend/platform/json.ts';
import { fc } from '../../support/property.ts';

/** A body and a stored text are read by different means, to the same values. */
function roundTrip(text: string): string {
  const written = JSON.stringify(parseJsonText(text));
  const body = parseJsonBytes(new TextEncoder().encode(text));
  expect('value' in body && JSON.stringify(body.value)).toBe(written);
  return written;
}

describe('number literals', () => {
  test.each([
    '12345678901234567890',
    '0.1234567890123456789',
    '1e400',
    '-1E-400',
    '9007199254740993',
    '1234567.12345678901',
  ])('%s is kept', (literal) => {
    expect(roundTrip(`[${literal}]`)).toBe(`[${literal}]`);
  });

  test.each([
    ['1.0', '1'],
    ['1.50', '1.5'],
    ['0.1', '0.1'],
    ['-0.0', '0'],
    ['123456789012345', '123456789012345'],
  ])('%s is the same number as %s', (literal, expected) => {
    expect(JSON.parse(roundTrip(`[${literal}]`))[0]).toBeCloseTo(Number(expected), 15);
  });

  test('property: a literal written back has the same value, digit by digit', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$/);
    fc.assert(
      fc.property(digits, (literal) => {
        expect(exact(roundTrip(`[${literal}]`).slice(1, -1))).toBe(exact(literal));
      }),
      { numRuns: 2000 },
    );
  });
});

test('property: any JSON survives parsing and writing', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(JSON.parse(roundTrip(text))).toEqual(JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test('a number is the same whatever stands beside it, and no name', () => {
  for (const literal of ['10.0', '1e5', '-0', '0.0', '1E-7', '0e999']) {
    const alone = roundTrip(`[${literal}]`).slice(1, -1);
    expect(roundTrip(`[${literal},12345678901234567890]`)).toBe(`[${alone},12345678901234567890]`);
  }
  expect(roundTrip('{"__proto__":1e400,"a\\":1e400\\\\":[1e400,"1e400"]}')).toBe(
    '{"__proto__":1e400,"a\\":1e400\\\\":[1e400,"1e400"]}',
  );
  for (const text of ['{1e400:1}', '[1e400 1e400]', '1e4001e400', '[01e400]', '[1e400', '"1e400']) {
    expect(parseJsonBytes(new TextEncoder().encode(text)), text).toMatchObject({ problem: 'malformed JSON' });
  }
});

test('what parsing may cost is bounded before it: ten million brackets, commas', () => {
  const many = (text: string) => Buffer.alloc(10 * 1024 * 1024, text);
  expect(parseJsonBytes(many('['))).toMatchObject({ problem: 'nested too deeply' });
  expect(parseJsonBytes(many('[0,'), { maxValues: 100 })).toMatchObject({ problem: 'too many values' });
  const list = new TextEncoder().encode('[[1,2,3],"a,b,c",{"x":[4,5]}]');
  expect(parseJsonBytes(list, { maxItems: 3 })).toHaveProperty('value');
  expect(parseJsonBytes(list, { maxItems: 2 })).toMatchObject({ problem: 'too many values' });
  expect(parseJsonBytes(new TextEncoder().encode('[1e400]'), { isExact: false })).toEqual({ value: [Infinity] });
});

test('nesting is bounded, strings full of brackets are not nesting', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const nested = (levels: number) => bytes('['.repeat(levels) + ']'.repeat(levels));
  expect(parseJsonBytes(nested(MAX_JSON_DEPTH))).toHaveProperty('value');
  expect(parseJsonBytes(nested(MAX_JSON_DEPTH + 1))).toMatchObject({ problem: 'nested too deeply' });
  expect(parseJsonBytes(nested(2_000_000))).toHaveProperty('problem');
  expect(parseJsonBytes(bytes(JSON.stringify('['.repeat(1000))))).toHaveProperty('value');
});

/** A literal's value as a big integer of 1000 fractional digits' scale, without trailing zeros. */
function exact(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const shift = 1100 + Number(exponent) - fraction.length;
  const value = BigInt(whole + fraction + '0'.repeat(Math.max(shift, 0)));
  return value === 0n ? '0' : `${sign}${value}`;
}
