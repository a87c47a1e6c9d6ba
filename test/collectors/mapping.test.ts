import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { makeEvents } from '../../collectors/core/events.ts';
import { parseExactJson } from '../../collectors/core/exact-json.ts';
import { productOf, quantityOf, quotientOf, sumOf } from '../../collectors/mapping/decimals.ts';
import { compileWalk, UNSURE } from '../../collectors/mapping/field-walk.ts';
import { compileMapping } from '../../collectors/mapping/mapping.ts';
import { PRESETS } from '../../collectors/mapping/presets.ts';
import { fc } from '../support/property.ts';

interface Vector {
  readonly name: string;
  readonly jsonata: string;
  readonly meta: Record<string, string>;
  readonly input: unknown;
  readonly output: unknown;
}
const { vectors } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/collectors/mappings.json'), 'utf8'),
) as { vectors: Vector[] };
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test.each(vectors)('$name', async ({ jsonata: source, meta, input, output }) => {
  const mapped = await compileMapping(source)(input, { meta });
  expect(mapped).toMatchObject({ kind: 'result' });
  expect(plain(mapped.kind === 'result' && mapped.result)).toEqual(output);
});

test.each(Object.entries(PRESETS))('the preset %s is a mapping', (_name, source) => {
  expect(() => compileMapping(source)).not.toThrow();
});

test.each([
  ['{"a": $now()}', /\$now, which gives another answer each time/],
  ['($f := $uuid; $f())', /\$uuid/],
  ['$map(x, function($v) { $random() })', /\$random/],
  ['$sort(a)', /\$sort, which is not bounded/],
  ['a^(b).c', /orders a list by \^\( \), which is not bounded/],
  ['$match(a, /(a+)+$/)', /regular expression/],
  ['a[b ~> /x/]', /regular expression/],
  ['$eval("1")', /\$eval, which is not bounded/],
  ['{"a": }', /is no JSONata expression.*line 1, column/],
])('%s is refused', (source, reason) => {
  expect(() => compileMapping(source)).toThrow(reason);
});

test('a mapping that would never end fails, and the next message is mapped', async () => {
  const mapping = compileMapping('endless ? ($f := function($n) { $f($n + 1) }; $f(0)) : {"a": 1}');
  expect(await mapping({ endless: true }, {})).toEqual({
    kind: 'failed',
    reason: 'the mapping failed: it takes more than 1000000 steps',
  });
  expect(await mapping({}, {})).toEqual({ kind: 'result', result: { a: 1 } });
  expect(await compileMapping('[1..10000000]')({}, {})).toMatchObject({ kind: 'failed' });
});

test('one that looks through a long list again and again fails, however few its steps', async () => {
  let nowMs = 0;
  const clock = { now: () => (nowMs += 600) };
  const list = Array.from({ length: 3000 }, (_, index) => index);
  const mapping = compileMapping('$count(list[$ in $$.list])', clock);
  expect(await mapping({ list }, {})).toMatchObject({
    kind: 'failed',
    reason: 'the mapping failed: it looks through long lists again and again',
  });
  expect(await mapping({ list: [1, 2] }, {})).toMatchObject({ kind: 'result', result: 2 });
});

test('the distinct items of a list are those that JSONata finds, of long lists too', async () => {
  const source = '{"list": $distinct(list), "one": $distinct(list.a), "of": $distinct($append(list, list))}';
  const mapping = compileMapping(source);
  const item = fc.oneof(
    fc.constantFrom<unknown>(1, '1', true, null, {}, [], { a: 1 }, { a: 1, b: 2 }, { b: 2, a: 1 }, { a: [1] }, [[1]]),
    fc.record({ a: fc.integer({ min: 0, max: 2 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 8 }), async (list) => {
      const wanted: unknown = await jsonata(source).evaluate({ list });
      const mapped = await mapping({ list }, {});
      expect(mapped.kind === 'result' && plain(mapped.result)).toEqual(plain(wanted));
    }),
    { numRuns: 200 },
  );
  const list = Array.from({ length: 100_000 }, (_, index) => `${index}`);
  expect(await compileMapping('$count($distinct(list))')({ list }, {})).toEqual({ kind: 'result', result: 100_000 });
});

test('messages mapped at the same time do not share steps or names', async () => {
  const mapping = compileMapping('{"a": $meta("n"), "b": $sum(list)}');
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => mapping({ list: [n, n] }, { meta: { n: String(n) } })),
  );
  expect(results).toEqual(
    Array.from({ length: 50 }, (_, n) => ({ kind: 'result', result: { a: String(n), b: 2 * n } })),
  );
});

const names = fc.constantFrom('a', 'b', 'c', 'a.b', 'ü');
const messages = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, 0, 1.5, '', 'text'),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
})).value;
const paths = fc
  .array(names, { minLength: 1, maxLength: 3 })
  .map((steps) => steps.map((step) => JSON.stringify(step).replace(/^"(.*)"$/, '`$1`')).join('.'));
const expressions = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 2 },
    paths,
    fc.constantFrom('"text"', '1.5', 'true', 'null'),
    fc
      .uniqueArray(fc.tuple(names, tie('expression')), { selector: ([name]) => name, maxLength: 3 })
      .map((fields) => `{${fields.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`),
  ),
})).expression;

test('walking fields gives what JSONata gives, or says that it is not sure', async () => {
  let walked = 0;
  await fc.assert(
    fc.asyncProperty(expressions, messages, async (source, message) => {
      const walk = compileWalk(jsonata(source).ast());
      if (walk === undefined) throw new Error(`not compiled: ${source}`);
      const own = walk(message);
      if (own === UNSURE) return;
      walked++;
      const wanted: unknown = await jsonata(source).evaluate(message);
      expect(JSON.stringify(own)).toBe(JSON.stringify(wanted));
    }),
    { numRuns: 500 },
  );
  expect(walked).toBeGreaterThan(100);
});

test.each(['a[0]', 'a[]', '$.a', 'a.*', 'a.b + 1', '{"a": $sum(b)}', 'a{b: c}', 'a^(b)', 'a@$x', '[a]'])(
  '%s is no walk',
  (source) => {
    expect(compileWalk(jsonata(source).ast())).toBeUndefined();
  },
);

test.each([
  ['1', '1'],
  ['0.5', '0.5'],
  ['500m', '0.5'],
  ['100n', '0.0000001'],
  ['1k', '1000'],
  ['1e3', '1000'],
  ['12E-1', '1.2'],
  ['1Gi', '1073741824'],
  ['1.5Mi', '1572864'],
  ['7E', '7000000000000000000'],
  ['-3u', '-0.000003'],
  ['.5Ki', '512'],
])('the quantity %s is %s', (text, value) => {
  expect(quantityOf(text)).toBe(value);
});
test.each(['', ' 1', '1 Gi', '1gi', 'Ki', '1e', '1e999', '0x10', '1__proto__', 'NaN'])('%j is no quantity', (text) => {
  expect(() => quantityOf(text)).toThrow(TypeError);
});

test('decimals are exact', () => {
  expect(sumOf(['0.1', '0.2', 0.3])).toBe('0.6');
  expect(productOf('0.1', '3')).toBe('0.3');
  expect(quotientOf('30', '60')).toBe('0.5');
  expect(quotientOf('2', '3')).toBe('0.66666666666666666667');
  expect(() => quotientOf('1', '0')).toThrow('divides by zero');
});

test('JSON keeps the digits that a double would lose', () => {
  const text =
    '{"a": 9007199254740993, "b": 0.1234567890123456789, "c": 12.5, "d": "12345678901234567890", "e": 1e400, "f": -1.0}';
  expect(parseExactJson(text)).toEqual({
    a: '9007199254740993',
    b: '0.1234567890123456789',
    c: 12.5,
    d: '12345678901234567890',
    e: '1e400',
    f: -1,
  });
});

test('an event takes its id from what is metered, unless the mapping has one', () => {
  const record = { message: {}, parts: ['bucket', 'key', '7'], at: '2026-01-01T00:00:00.000Z' };
  const event = { type: 't', source: 's', subject: 'x' };
  const made = (result: unknown, name = 'n') => {
    const all = makeEvents(result, name, record);
    return all.kind === 'events' ? all.events.map((json) => JSON.parse(json)) : all;
  };
  const [one] = made(event) as { id: string; time: string }[];
  expect(one).toMatchObject({ id: expect.stringMatching(/^[\w-]{22}$/), time: record.at, specversion: '1.0' });
  expect(made(event)).toEqual([one]);
  expect(made({ ...event, type: 'other' })).toMatchObject([{ id: one?.id }]);
  expect(made(event, 'other')).not.toMatchObject([{ id: one?.id }]);
  expect(made({ ...event, id: 'own' })).toMatchObject([{ id: 'own' }]);
  const two = made([event, event]) as { id: string }[];
  expect(new Set(two.map(({ id }) => id)).size).toBe(2);
  expect(made(undefined)).toEqual([]);
  expect(made([])).toEqual([]);
});

test('an event is measured before its text is made', () => {
  const record = { message: {}, parts: ['p'], at: '2026-11-30T00:00:00Z' };
  const event = (data: unknown) => makeEvents({ type: 't', source: 's', subject: 'u', data }, 'c', record);
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  expect(event({ deep })).toEqual({ kind: 'refused', reason: 'the event is nested deeper than 64' });
  // A text of half a gigabyte that is not there yet.
  let long = 'x';
  while (long.length < 2 ** 28) long += long;
  expect(event({ long })).toEqual({ kind: 'refused', reason: 'the event is larger than 262144 bytes' });
  const many = Array.from({ length: 100 }, () => ({
    type: 't',
    source: 's',
    subject: 'u',
    data: { x: 'x'.repeat(2e5) },
  }));
  expect(makeEvents(many, 'c', record)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('of one message'),
  });
});

test.each([
  [{ type: 't', source: 's' }, 'the event has no subject'],
  [{ type: 't', source: 's', subject: 5 }, 'subject of the event must be a text'],
  [{ type: 't', source: 's', subject: 'x', time: 'yesterday' }, 'time of the event must be an instant'],
  [{ type: 't', source: 's', subject: 'x' }, 'the event has no time'],
  [{ type: 't', source: 's', subject: 'x', time: '2026-01-01T00:00:00Z', id: '' }, 'id of the event must be a text'],
  [
    { type: 't', source: 's', subject: 'x', time: '2026-01-01T00:00:00Z', data: [1] },
    'data of the event must be an object',
  ],
  ['text', 'the mapping made something that is no object'],
])('%j is no event', (result, reason) => {
  expect(makeEvents(result, 'n', { message: {}, parts: [] })).toEqual({
    kind: 'refused',
    reason: expect.stringContaining(reason),
  });
});
