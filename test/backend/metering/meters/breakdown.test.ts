import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

const GROUPS = 25;
const DAYS = 3;
const RANGE = { from: '2026-11-01T00:00:00Z', to: '2026-11-10T00:00:00Z' };

let backend: TestBackend;
const meters: Record<string, string> = {};
beforeAll(async () => {
  backend = await createTestBackend();
  for (const aggregation of ['sum', 'count', 'unique_count', 'avg', 'min', 'max', 'latest']) {
    const body = {
      key: aggregation,
      name: aggregation,
      aggregation,
      event_type: 'call',
      ...(aggregation !== 'count' && { value_property: '$.v' }),
      dimensions: { route: '$.route', region: '$.region' },
    };
    meters[aggregation] = (await backend.request('POST', '/meters', { body })).json.id;
  }
  // Route n has n.1 on each of three days; on the fifth day the smallest has an event of its own.
  const events = Array.from({ length: GROUPS * DAYS }, (_, index) => {
    const number = (index % GROUPS) + 1;
    const day = Math.floor(index / GROUPS) + 1;
    return event(`${index}`, number, day, `${number}.1`);
  });
  const rawBody = JSON.stringify([...events, event('last', 1, 5, '0.05')]);
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  expect((await backend.request('POST', '/events', { rawBody, headers })).status).toBe(202);
});
afterAll(() => backend.close());

function event(id: string, number: number, day: number, v: string) {
  const data = { v, route: `route-${number}`, region: number % 2 === 0 ? 'eu' : 'us' };
  return { id, source: 's', type: 'call', subject: `subject-${number}`, time: `2026-11-0${day}T12:00:00Z`, data };
}
const ask = (aggregation: string, path: string, body: object) =>
  backend.request('POST', `/meters/${meters[aggregation]}/query${path}`, { body: { ...RANGE, ...body } });
const breakdown = async (aggregation: string, body: object) =>
  (await ask(aggregation, '/breakdown', { granularity: 'P1D', ...body })).json;
const byRoute = { group_by_dimensions: ['route'] };
const day = (number: number) => ({ from: `2026-11-0${number}T00:00:00Z`, to: `2026-11-0${number + 1}T00:00:00Z` });

test('the ten largest groups and the others add up to the total, in each window and over the range', async () => {
  const answer = await breakdown('sum', byRoute);
  expect(answer).toMatchObject({ ...RANGE, total: '982.55', group_count: 25, other: { group_count: 15 } });
  expect(answer.windows).toEqual([day(1), day(2), day(3), day(5)]);
  expect(answer.groups.map(({ dimensions }: { dimensions: { route: string } }) => dimensions.route)).toEqual(
    Array.from({ length: 10 }, (_, index) => `route-${25 - index}`),
  );
  expect(answer.groups[0]).toEqual({
    dimensions: { route: 'route-25' },
    total: '75.3',
    values: ['25.1', '25.1', '25.1', null],
  });
  // 1.1 + 2.1 + … + 15.1 a day.
  expect(answer.other).toEqual({ group_count: 15, total: '364.55', values: ['121.5', '121.5', '121.5', '0.05'] });
});

test.each([
  ['count', '76', '45', '15'],
  // Of both the route with the smallest value is among the ten: it has an event and a value more than the others.
  ['unique_count', '26', '15', '15'],
  ['avg', '12.9282894736842105263', '7.925', '8.1'],
  ['min', '0.05', '0.05', '1.1'],
  ['max', '25.1', '15.1', '15.1'],
  ['latest', '0.05', '0.05', '15.1'],
])(
  'of %s the figures of all and of the others are what the meter makes of their events',
  async (aggregation, total, others, first) => {
    const answer = await breakdown(aggregation, byRoute);
    expect(answer).toMatchObject({ group_count: 25, groups: { length: 10 } });
    expect({ total: answer.total, others: answer.other.total, first: answer.other.values[0] }).toEqual({
      total: total,
      others: others,
      first,
    });
  },
);

test('groups of two dimensions, of subjects, of filtered events, and no groups at all', async () => {
  const two = await breakdown('sum', { group_by_dimensions: ['region', 'subject'], top: 1 });
  expect(two.groups[0].dimensions).toEqual({ region: 'us', subject: 'subject-25' });
  expect(two.other.group_count).toBe(24);
  const eu = await breakdown('sum', { ...byRoute, filters: { dimensions: { region: { eq: 'eu' } } } });
  expect(eu).toMatchObject({ group_count: 12, other: { group_count: 2, total: '18.6' } });
  const few = await breakdown('sum', { group_by_dimensions: ['region'] });
  expect(few.groups).toHaveLength(2);
  expect(few).not.toHaveProperty('other');
  const none = await breakdown('sum', {});
  expect(none).toMatchObject({ total: '982.55', group_count: 1, groups: [{ dimensions: {}, total: '982.55' }] });
  expect(none.groups[0].values).toEqual(['327.5', '327.5', '327.5', '0.05']);
  const figures = await ask('sum', '/breakdown', { ...byRoute, top: 1 });
  expect(figures.json).toMatchObject({ total: '982.55', windows: [], groups: [{ total: '75.3', values: [] }] });
});

test('a customer of several subjects is one group', async () => {
  const body = { key: 'acme', name: 'Acme', usage_attribution: { subject_keys: ['subject-24', 'subject-25'] } };
  const customerId = (await backend.request('POST', '/customers', { body })).json.id;
  const filters = { dimensions: { customer_id: { eq: customerId } } };
  const answer = await breakdown('sum', { group_by_dimensions: ['customer_id'], filters });
  expect(answer).toMatchObject({
    group_count: 1,
    groups: [{ dimensions: { customer_id: customerId }, total: '147.6' }],
  });
});

test('pages of rows: the groups by their totals, the windows as they come', async () => {
  const page = async (parameters: string, body: object) => (await ask('sum', `/rows?${parameters}`, body)).json;
  const second = await page('sort=value desc&page[size]=20&page[number]=2', byRoute);
  expect(second.meta).toEqual({ page: { number: 2, size: 20, total: 25 } });
  expect(second.data.map(({ value }: { value: string }) => value)).toEqual(['15.3', '12.3', '9.3', '6.3', '3.35']);
  expect(second.data[0]).toEqual({ ...RANGE, value: '15.3', dimensions: { route: 'route-5' } });
  const days = await page('page[size]=2', { granularity: 'P1D' });
  expect(days).toEqual({
    data: [
      { ...day(1), value: '327.5', dimensions: {} },
      { ...day(2), value: '327.5', dimensions: {} },
    ],
    meta: { page: { number: 1, size: 2, total: 4 } },
  });
  expect((await page('sort=from desc&page[size]=1', { granularity: 'P1D' })).data).toMatchObject([day(5)]);
  expect(await page('page[number]=9', byRoute)).toMatchObject({ data: [], meta: { page: { total: 25 } } });
});

test('wrong requests name what is wrong', async () => {
  const refused = async (path: string, body: object) => {
    const { status, json } = await ask('sum', path, body);
    expect(status).toBe(400);
    return JSON.stringify(json);
  };
  expect(await refused('/breakdown', { top: 51 })).toContain('"field":"top"');
  expect(await refused('/breakdown', { group_by_dimensions: ['nothing'] })).toContain('nothing');
  expect(await refused('/rows?page[size]=1001', {})).toContain('page[size]');
  expect(await refused('/rows?sort=route', {})).toContain('must be one of from, value');
  expect(await refused('/rows?from=1', {})).toContain('"field":"from"');
});
