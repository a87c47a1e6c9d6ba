import { query } from 'json-p3';
import { describe, expect, test } from 'vitest';
import { checkJsonPath, compileJsonPath, jsonPathProblem } from '../../backend/metering/usage-store/index.ts';
import { rawJson } from '../../backend/platform/json.ts';
import { fc } from '../support/property.ts';

const NAMES = ['a', 'b', 'c'];
const { value: document } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(0, 1, 2, 10, 'x', 'y', '', true, false, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 3 }),
  ),
}));
const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  name.map((text) => `.${text}`),
  name.map((text) => `['${text}']`),
  fc.integer({ min: -3, max: 3 }).map((index) => `[${index}]`),
);
const steps = fc.array(step, { maxLength: 2 }).map((parts) => parts.join(''));
const operand = fc.oneof(
  steps.map((text) => `@${text}`),
  steps.map((text) => `$${text}`),
  fc.constantFrom('1', '2', '10', "'x'", '"y"', 'true', 'null'),
);
const comparison = fc
  .tuple(operand, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), operand)
  .map((parts) => parts.join(' '));
const condition = fc.oneof(
  comparison,
  steps.map((text) => `@${text}`),
  steps.map((text) => `!@${text}`),
  fc.tuple(comparison, fc.constantFrom('&&', '||'), comparison).map((parts) => parts.join(' ')),
  comparison.map((text) => `!(${text})`),
);
const segment = fc.oneof(
  step,
  fc.constantFrom('.*', '[*]', '..*'),
  name.map((text) => `..${text}`),
  condition.map((text) => `[?${text}]`),
);
const path = fc.array(segment, { maxLength: 4 }).map((parts) => `$${parts.join('')}`);

const isPlain = (value: unknown) => typeof value !== 'object' || value === null;

test('what it may use, a path finds as the whole language does: the first of its values', () => {
  fc.assert(
    fc.property(document, path, (data, text) => {
      checkJsonPath(text);
      expect(jsonPathProblem(text, data)).toBeUndefined();
      const [first] = query(text, data as never).nodes;
      // Lists and objects are equal to nothing here; with the whole language they can be.
      const hasComparison = /[=<>]/.test(text);
      if (hasComparison && !isPlain(first?.value)) return;
      const found = compileJsonPath(text)(data);
      if (hasComparison && JSON.stringify(found) !== JSON.stringify(first?.value)) {
        expect(JSON.stringify(data)).toMatch(/[[{]/);
        return;
      }
      expect(found).toEqual(first?.value);
    }),
    { numRuns: 2000 },
  );
});

describe('filters', () => {
  const priced = (text: string, price: unknown) =>
    compileJsonPath(`$.items[?@.price ${text}].id`)({ items: [{ id: 7, price }] });

  test.each(['10', '10.0', '1e1', '1.00E+1'])(
    'compare numbers by their value, however they are written: %s',
    (literal) => {
      for (const other of ['10', '10.000', '1e1']) expect(priced(`== ${literal}`, rawJson(other))).toBe(7);
      expect(priced(`== ${literal}`, 10)).toBe(7);
      expect(priced(`> ${literal}`, rawJson('10.0000000000000000000001'))).toBe(7);
      expect(priced(`< ${literal}`, rawJson('10.0'))).toBeUndefined();
    },
  );

  test.each([
    ["$.a[?search(@.b, '(a|a)*b')]", /functions are not supported: search/],
    ["$.a[?match(@.b, 'x')]", /functions are not supported: match/],
    ['$.a[?length(@.b) > 1]', /functions are not supported: length/],
    ['$.a[?@..b]', /only names and indexes may follow/],
    ['$.a[?@.*]', /only names and indexes may follow/],
    ['$.a[0,1]', /lists in brackets are not supported/],
    ['$.a[1:2]', /slices are not supported/],
    ['$.a[?(((((((((((((((((@.b)))))))))))))))))]', /nest at most 16 levels/],
    ['$.a b', /at character 4/],
    ["$['a", /does not end/],
    ['a.b', /must start with \$/],
  ])('%s is refused', (text, reason) => {
    expect(() => checkJsonPath(text)).toThrow(reason);
    // One that was stored before finds nothing, and says why.
    expect(compileJsonPath(text)({ a: [{ b: 'x' }] })).toBeUndefined();
    expect(jsonPathProblem(text, {})).toMatch(/^the path /);
  });
});

test('however deep or large the data is, a path ends, without a value and with a reason', () => {
  let deep: unknown = { tokens: 1 };
  for (let level = 0; level < 60; level++) deep = [deep];
  expect(compileJsonPath('$..tokens')({ deep })).toBe(1);
  for (let level = 0; level < 5000; level++) deep = [deep];
  expect(compileJsonPath('$..tokens')({ deep })).toBeUndefined();
  expect(jsonPathProblem('$..tokens', { deep })).toMatch(/nested deeper than the 128 levels/);
  const wide = { list: Array.from({ length: 300 }, () => Array(300).fill({ a: 1 })) };
  expect(jsonPathProblem('$..*..*..b', wide)).toMatch(/looks at more than 20000 values/);
});
