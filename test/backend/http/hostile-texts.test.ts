import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';

/** Long enough that a rule which tries all ways to read a text would not end before the test is given up. */
const LENGTH = 200_000;

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const repeated = (part: string, last = '!') => part.repeat(LENGTH / part.length) + last;
const TEXTS: readonly [name: string, text: string][] = [
  ['one letter', repeated('a', ' ')],
  ['digits', repeated('1', 'x')],
  ['digits and points', repeated('1.', 'e')],
  ['percents', repeated('%2', '\u0000')],
  ['dashes', repeated('a-', '_!')],
  ['brackets', repeated('[', ']')],
  ['quotes', repeated('"\\', '"')],
  ['dots and ats', repeated('a@a.', '@')],
  ['blanks', repeated(' \t', 'x')],
];

const event = (part: object) => ({
  id: '1',
  source: 's',
  type: 't',
  subject: 'x',
  time: '2026-11-01T00:00:00Z',
  ...part,
});
const meter = (part: object) => ({
  key: 'm',
  name: 'M',
  aggregation: 'sum',
  event_type: 't',
  value_property: '$.v',
  ...part,
});
const customer = (part: object) => ({ key: 'c', name: 'C', ...part });

/** Every field whose rule is a pattern, or which is taken apart, and what it stands in. */
const PLACES: readonly [path: string, (text: string) => object][] = [
  ['/events', (text) => event({ source: text })],
  ['/events', (text) => event({ dataschema: `urn:${text}` })],
  ['/events', (text) => event({ time: `2026-11-01T00:00:00.${text}` })],
  ['/meters', (text) => meter({ key: text })],
  ['/meters', (text) => meter({ value_property: `$.${text}` })],
  ['/meters', (text) => meter({ dimensions: { route: `$['${text}']` } })],
  ['/customers', (text) => customer({ key: text, currency: text })],
  ['/customers', (text) => customer({ primary_email: text })],
  ['/customers', (text) => customer({ labels: { [text]: text } })],
  ['/features', (text) => ({ key: text, name: 'F', unit_cost: { type: 'manual', amount: text } })],
  ['/cost-estimates', (text) => ({ rate_card: { price: { type: 'unit', amount: text } }, quantities: [text] })],
];

const JSON_BODY = { 'Content-Type': 'application/json' };

test.for(TEXTS)('200,000 characters of %s is refused or taken, wherever it stands', async ([, text]) => {
  for (const [path, body] of PLACES) {
    const headers = path === '/events' ? { 'Content-Type': 'application/cloudevents+json' } : JSON_BODY;
    const { status } = await backend.request('POST', path, { rawBody: JSON.stringify(body(text)), headers });
    expect([200, 201, 202, 400, 409], path).toContain(status);
  }
  // Not JSON at all, and JSON that is one literal.
  for (const rawBody of [text, `[${text}`, `{"key":${text}}`]) {
    expect((await backend.request('POST', '/meters', { rawBody, headers: JSON_BODY })).status).toBe(400);
  }
});

test('a header and a query of as many characters as a server reads are taken apart at once', async () => {
  const header = 'handling=lenient ,; '.repeat(700);
  for (const headers of [{ Prefer: header }, { Authorization: `Bearer ${' '.repeat(8000)}x y` }, { Accept: header }]) {
    const { status } = await backend.request('GET', '/meters', { headers, token: null });
    expect([200, 401]).toContain(status);
  }
  for (const name of ['filter[key]'.repeat(700), `${'['.repeat(4000)}${']'.repeat(4000)}`, 'sort', 'page[size]']) {
    const { status } = await backend.request('GET', `/meters?${encodeURIComponent(name)}=${'a,'.repeat(3000)}`);
    expect([200, 400]).toContain(status);
  }
});

const UNSTORABLE: readonly [name: string, text: string][] = [
  ['a NUL', 'a\u0000b'],
  ['half a surrogate pair', 'a\ud800b'],
];
test.each(UNSTORABLE)('%s is refused by its place, in a value, a name, a path and a query', async (_, text) => {
  const field = async (body: object) => {
    const rawBody = JSON.stringify(body);
    const { status, json: answer } = await backend.request('POST', '/customers', { rawBody, headers: JSON_BODY });
    expect(status).toBe(400);
    return answer.invalid_parameters[0];
  };
  const reason = 'must be well-formed Unicode text without NUL';
  expect(await field(customer({ name: text }))).toMatchObject({ field: 'name', reason });
  expect(await field(customer({ labels: { team: text } }))).toMatchObject({ field: 'labels.team', reason });
  expect(await field(customer({ labels: { [text]: 'x' } }))).toMatchObject({ reason });
  expect(await field(customer({ billing_address: { city: text } }))).toMatchObject({ field: 'billing_address.city' });
  expect((await backend.request('GET', '/customers/a%00b')).status).toBe(404);
  expect((await backend.request('GET', '/customers?filter[name]=a%00b')).status).toBe(400);
});
