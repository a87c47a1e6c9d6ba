import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

/** For tests with customers, whose subjects are others' too. */
const anew = async () => {
  await backend.close();
  backend = await createTestBackend();
};

let counter = 0;
/** Each test has a type of its own: what others have stored does not count in its meters. */
let type = '';
beforeEach(() => {
  type = `usage-${++counter}`;
});
const ingest = async (...events: Record<string, unknown>[]) => {
  const batch = events.map((event) => ({ id: `${++counter}`, source: 's', type, subject: 'alice', ...event }));
  const answer = await backend.request('POST', '/events', {
    rawBody: JSON.stringify(batch),
    headers: { 'Content-Type': 'application/cloudevents-batch+json' },
  });
  expect(answer.status).toBe(202);
};
const meter = async (fields: Record<string, unknown> = {}) => {
  const aggregation = fields['aggregation'] ?? 'sum';
  const body = {
    name: 'Usage',
    key: `usage_${++counter}`,
    aggregation,
    event_type: type,
    ...(aggregation !== 'count' && { value_property: '$.value' }),
    ...fields,
  };
  const answer = await backend.request('POST', '/meters', { body });
  expect(answer.status).toBe(201);
  return answer.json.id as string;
};
const query = (id: string, body: Record<string, unknown> = {}) =>
  backend.request('POST', `/meters/${id}/query`, { body });
const rows = async (id: string, body: Record<string, unknown> = {}) => {
  const answer = await query(id, body);
  expect(answer.status).toBe(200);
  return answer.json.data;
};
const values = async (id: string, body: Record<string, unknown> = {}) =>
  (await rows(id, body)).map((row: { value: string }) => row.value);

describe('aggregations over 123, "0.4567890123456789" and null', () => {
  beforeEach(() =>
    ingest(
      { time: '2026-11-01T00:00:10Z', data: { value: 123, name: 1 } },
      { time: '2026-11-01T00:01:00Z', data: { value: '0.4567890123456789', name: 'a' } },
      { time: '2026-11-01T00:02:30Z', data: { value: null, name: null } },
    ),
  );

  test.each([
    // The published figures are these, cut to what a double holds: 123.45678901234568 and 61.72839450617284.
    ['sum', '123.4567890123456789', 123.45678901234568],
    ['avg', '61.72839450617283945', 61.72839450617284],
    ['count', '3', 3],
    ['min', '0.4567890123456789', 0.4567890123456789],
    ['max', '123', 123],
    ['latest', '0.4567890123456789', 0.4567890123456789],
  ])('%s is %s', async (aggregation, expected, asDouble) => {
    const id = await meter({ aggregation });
    expect(await rows(id)).toEqual([
      { value: expected, from: '2026-11-01T00:00:00Z', to: '2026-11-01T00:03:00Z', dimensions: {} },
    ]);
    expect(Number(expected)).toBe(asDouble);
  });

  test('unique_count of $.name is 2', async () => {
    expect(await values(await meter({ aggregation: 'unique_count', value_property: '$.name' }))).toEqual(['2']);
  });

  test.each([
    ['count', ['0']],
    ['unique_count', ['0']],
    ['sum', []],
    ['avg', []],
    ['min', []],
    ['max', []],
    ['latest', []],
  ])('an empty range: %s gives %j', async (aggregation, expected) => {
    const range = { from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' };
    const id = await meter({ aggregation, dimensions: { name: '$.name' } });
    expect(await values(id, range)).toEqual(expected);
    expect(await values(id, { ...range, granularity: 'P1D' })).toEqual([]);
    expect(await values(id, { ...range, group_by_dimensions: ['name'] })).toEqual([]);
  });
});

describe('values', () => {
  test('NaN, infinities, null, missing and text do not count in a sum; a numeric string does', async () => {
    const bad = ['NaN', 'Inf', '-Inf', '+Inf', 'abc', '', '1e400', null, true, {}, [1], '0x10'];
    await ingest(...bad.map((value) => ({ data: { value } })), { data: {} }, {}, { data: { value: '100' } });
    expect(await values(await meter())).toEqual(['100']);
    expect(await values(await meter({ aggregation: 'count' }))).toEqual(['15']);
    expect(await values(await meter({ aggregation: 'latest' }))).toEqual(['100']);
  });

  test('only unusable values: no row', async () => {
    await ingest({ data: { value: 'x' } }, { data: {} });
    expect(await values(await meter())).toEqual([]);
  });

  test('sums are exact beyond what a double holds', async () => {
    const literals = [
      '9007199254740993',
      '0.1',
      '0.2',
      '1e300',
      '-1e300',
      '0.0000000000000000001',
      '12345678901234567890.1234567890123456789',
    ];
    for (const [index, literal] of literals.entries()) {
      const body = `{"id":"exact-${index}","source":"s","type":"${type}","subject":"a","data":{"value":${literal}}}`;
      await backend.request('POST', '/events', { rawBody: body, headers: { 'Content-Type': 'application/json' } });
    }
    expect(await values(await meter())).toEqual(['12354686100489308883.423456789012345679']);
  });

  test('the same id a thousand times counts once', async () => {
    await ingest(...Array.from({ length: 1000 }, () => ({ id: 'same', data: { value: 1 } })));
    expect(await values(await meter({ aggregation: 'count' }))).toEqual(['1']);
  });

  test('unique_count tells strings apart, takes 1, "1" and 1.0 as one, booleans as words, and a missing value as one empty', async () => {
    await ingest(
      ...['a', 'a', 'A', '', 1, '1', true, 'true', null, { a: 1 }, [1]].map((value) => ({ data: { value } })),
      {},
    );
    expect(await values(await meter({ aggregation: 'unique_count' }))).toEqual(['5']);
  });

  test('latest goes by event time; of equal times the one stored last', async () => {
    await ingest(
      { time: '2026-01-02T00:00:00Z', data: { value: 1 } },
      { time: '2026-01-02T00:00:00Z', data: { value: 2 } },
      { time: '2026-01-01T00:00:00Z', data: { value: 3 } },
    );
    expect(await values(await meter({ aggregation: 'latest' }))).toEqual(['2']);
  });

  test('a meter counts events stored before it, another type never', async () => {
    await ingest(
      { data: { value: 1 } },
      { type: 'Usage', data: { value: 10 } },
      { type: 'other', data: { value: 100 } },
    );
    expect(await values(await meter())).toEqual(['1']);
  });
});

describe('time', () => {
  test('from is inclusive, to exclusive; the rows of a plain query span the request', async () => {
    await ingest(
      { time: '2026-11-01T00:00:00Z', data: { value: 1 } },
      { time: '2026-11-02T00:00:00Z', data: { value: 2 } },
    );
    const id = await meter();
    const range = { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' };
    expect((await query(id, range)).json).toEqual({ ...range, data: [{ ...range, value: '1', dimensions: {} }] });
    expect(await values(id, { from: '2026-11-01T00:00:01Z' })).toEqual(['2']);
  });

  test('without to, events of the future count', async () => {
    await ingest({ time: '2030-01-01T00:00:00Z', data: { value: 1 } });
    expect(await values(await meter(), { from: '2026-01-01T00:00:00Z' })).toEqual(['1']);
  });

  test('events_from cuts what lies before it', async () => {
    await ingest(
      { time: '2026-11-01T00:00:00Z', data: { value: 1 } },
      { time: '2026-11-02T00:00:00Z', data: { value: 2 } },
    );
    const id = await meter({ events_from: '2026-11-02T00:00:00Z' });
    expect(await values(id)).toEqual(['2']);
    expect(await values(id, { from: '2026-10-01T00:00:00Z' })).toEqual(['2']);
  });

  test('the first and last window are whole, their values only what lies in the range', async () => {
    await ingest(...['00:30', '01:30', '02:30'].map((at) => ({ time: `2026-11-01T${at}:00Z`, data: { value: 1 } })));
    const id = await meter({ aggregation: 'count' });
    expect(await rows(id, { from: '2026-11-01T01:00:00Z', to: '2026-11-01T02:00:00Z', granularity: 'P1D' })).toEqual([
      { value: '1', from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z', dimensions: {} },
    ]);
  });

  test('empty windows are absent; windows come in order', async () => {
    await ingest(...['05', '01', '03'].map((day) => ({ time: `2026-11-${day}T12:00:00Z`, data: { value: 1 } })));
    expect((await rows(await meter(), { granularity: 'P1D' })).map((row: { from: string }) => row.from)).toEqual([
      '2026-11-01T00:00:00Z',
      '2026-11-03T00:00:00Z',
      '2026-11-05T00:00:00Z',
    ]);
  });

  test.each([
    ['PT1M', 'UTC', '2026-11-01T10:20:30Z', '2026-11-01T10:20:00Z', '2026-11-01T10:21:00Z'],
    ['PT1H', 'UTC', '2026-11-01T10:20:30Z', '2026-11-01T10:00:00Z', '2026-11-01T11:00:00Z'],
    ['PT1H', 'Asia/Kolkata', '2026-11-01T10:20:30Z', '2026-11-01T09:30:00Z', '2026-11-01T10:30:00Z'],
    ['P1D', 'Asia/Kolkata', '2026-11-01T18:20:30Z', '2026-10-31T18:30:00Z', '2026-11-01T18:30:00Z'],
    ['P1D', 'America/Los_Angeles', '2025-11-02T12:00:00Z', '2025-11-02T07:00:00Z', '2025-11-03T08:00:00Z'],
    ['P1M', 'UTC', '2028-02-29T10:20:30Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['P1M', 'Europe/Berlin', '2026-03-31T21:59:59Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
  ])('%s in %s: %s lies in [%s, %s)', async (granularity, time_zone, time, from, to) => {
    await ingest({ time, data: { value: 1 } });
    expect(await rows(await meter(), { granularity, time_zone })).toEqual([{ value: '1', from, to, dimensions: {} }]);
  });

  test('days over the change of clocks are contiguous', async () => {
    await ingest(
      ...['06', '07', '08', '09', '10', '11', '12'].map((day) => ({
        time: `2025-03-${day}T20:00:00Z`,
        data: { value: 1 },
      })),
    );
    const windows = await rows(await meter(), { granularity: 'P1D', time_zone: 'America/Los_Angeles' });
    expect(windows).toHaveLength(7);
    for (let index = 1; index < 7; index++) expect(windows[index].from).toBe(windows[index - 1].to);
    const hours = windows.map(
      (row: { from: string; to: string }) => (Date.parse(row.to) - Date.parse(row.from)) / 3_600_000,
    );
    expect(hours).toEqual([24, 24, 24, 23, 24, 24, 24]);
  });

  test.each([
    [{ from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'from and to cannot be equal'],
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'from must be before to'],
    [{ granularity: 'PT15M' }, 'PT1M, PT1H, P1D, P1M'],
    [{ granularity: 'day' }, 'PT1M, PT1H, P1D, P1M'],
    [{ time_zone: 'Mars/Olympus' }, 'invalid time zone'],
    [{ time_zone: '' }, 'invalid time zone'],
    [{ time_zone: '+02:00' }, 'invalid time zone'],
    [{ from: 'monday' }, 'RFC 3339'],
  ])('refuses %j', async (body, reason) => {
    const answer = await query(await meter(), body);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0].reason).toContain(reason);
  });
});

describe('dimensions', () => {
  const dimensions = { model: '$.model', type: '$.type' };
  beforeEach(() =>
    ingest(
      { data: { value: 1, model: 'gpt-4', type: 'request' } },
      { data: { value: 2, model: 'gpt-4', type: 'response' } },
      { data: { value: 4, model: 'llama', type: 'request' }, subject: 'bob' },
      { data: { value: 8, model: 123, type: true } },
      { data: { value: 16, model: null, type: [1] } },
      { data: { value: 32 } },
    ),
  );

  test('group by: numbers and booleans as text, null as "null", lists and missing ones empty', async () => {
    const grouped = await rows(await meter({ dimensions }), { group_by_dimensions: ['model', 'type', 'model'] });
    expect(
      Object.fromEntries(
        grouped.map((row: { value: string; dimensions: { model: string; type: string } }) => [
          `${row.dimensions.model}/${row.dimensions.type}`,
          row.value,
        ]),
      ),
    ).toEqual({
      'gpt-4/request': '1',
      'gpt-4/response': '2',
      'llama/request': '4',
      '123/true': '8',
      'null/': '16',
      '/': '32',
    });
  });

  test('group by subject', async () => {
    const grouped = await rows(await meter(), { group_by_dimensions: ['subject'] });
    expect(grouped.map((row: { value: string; dimensions: unknown }) => [row.dimensions, row.value])).toEqual([
      [{ subject: 'alice' }, '59'],
      [{ subject: 'bob' }, '4'],
    ]);
  });

  test.each([
    [{ eq: 'gpt-4' }, '3'],
    [{ neq: 'gpt-4' }, '60'],
    [{ in: ['gpt-4', 'llama'] }, '7'],
    [{ nin: ['gpt-4', 'llama'] }, '56'],
    [{ contains: 'gpt' }, '3'],
    [{ contains: 'GPT' }, undefined],
    [{ ncontains: 'gpt' }, '60'],
    [{ exists: true }, '63'],
    [{ exists: false }, undefined],
    [{ eq: '' }, '32'],
    [{ or: [{ eq: 'llama' }, { contains: '2' }] }, '12'],
    [{ and: [{ neq: 'llama' }, { or: [{ eq: 'gpt-4' }, { eq: 'null' }] }] }, '19'],
  ])('filter model %j', async (filter, expected) => {
    const answer = await values(await meter({ dimensions }), { filters: { dimensions: { model: filter } } });
    expect(answer).toEqual(expected === undefined ? [] : [expected]);
  });

  test('filters of several dimensions hold together', async () => {
    const filters = { dimensions: { model: { eq: 'gpt-4' }, type: { eq: 'request' } } };
    expect(await values(await meter({ dimensions }), { filters })).toEqual(['1']);
  });

  test('a filter by subject groups by it', async () => {
    const id = await meter();
    const filters = { dimensions: { subject: { in: ['bob', 'carol'] } } };
    expect(await rows(id, { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z', filters })).toEqual([
      { value: '4', from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z', dimensions: { subject: 'bob' } },
    ]);
  });

  test.each([
    [{ group_by_dimensions: ['colour'] }, 'invalid_group_by'],
    [{ group_by_dimensions: ['__proto__'] }, 'invalid_group_by'],
    [{ group_by_dimensions: ['customer_id'] }, 'invalid_group_by'],
    [{ filters: { dimensions: { colour: { eq: 'x' } } } }, 'invalid_dimension_filter'],
    [{ filters: { dimensions: { subject: { neq: 'x' } } } }, 'unsupported_filter_operator'],
    [{ filters: { dimensions: { subject: { eq: 'x', in: ['x'] } } } }, 'unsupported_filter_operator'],
    [{ filters: { dimensions: { customer_id: { contains: 'x' } } } }, 'unsupported_filter_operator'],
  ])('refuses %j as %s', async (body, code) => {
    const answer = await query(await meter({ dimensions }), body);
    expect(answer.status).toBe(400);
    expect(answer.json.extensions.validationErrors[0].code).toBe(code);
  });

  test.each([
    [{ filters: { dimensions: { model: { in: [] } } } }],
    [{ filters: { dimensions: { model: { like: 'x' } } } }],
    [{ filters: { dimensions: { model: 'x' } } }],
    [{ filters: { dimensions: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`d${i}`, { eq: 'x' }])) } }],
    [{ filters: { dimensions: { model: { and: [{ and: [{ and: [{ eq: 'x' }] }] }] } } } }],
    [{ group_by_dimensions: Array.from({ length: 101 }, () => 'model') }],
    [{ filters: { subject: { eq: 'x' } } }],
    [{ groupBy: ['model'] }],
  ])('refuses the shape of %j', async (body) => {
    expect((await query(await meter({ dimensions }), body)).status).toBe(400);
  });

  test('an unknown customer: 404', async () => {
    const answer = await query(await meter(), {
      filters: { dimensions: { customer_id: { eq: '01G65Z755AFWAKHE12NY0CQ9FH' } } },
    });
    expect(answer.status).toBe(404);
    expect(answer.json.extensions.validationErrors[0].code).toBe('customer_not_found');
  });

  test('a dimension added later counts events stored before', async () => {
    const id = await meter();
    await backend.request('PUT', `/meters/${id}`, { body: { name: 'x', dimensions } });
    expect(await rows(id, { group_by_dimensions: ['model'] })).toHaveLength(5);
  });
});

describe('customers', () => {
  beforeEach(anew);

  const customer = async (key: string, subjects: string[]) => {
    const body = { name: `${key} Inc.`, key, usage_attribution: { subject_keys: subjects } };
    const answer = await backend.request('POST', '/customers', { body });
    expect(answer.status).toBe(201);
    return answer.json.id as string;
  };

  test('usage of all subjects of a customer, events from before the customer existed too', async () => {
    await ingest(
      ...['acme', 'laptop', 'phone', 'other'].map((subject, index) => ({ subject, data: { value: 10 ** index } })),
    );
    const acme = await customer('acme', ['laptop', 'phone']);
    const filters = { dimensions: { customer_id: { eq: acme } } };
    const id = await meter();
    const range = { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' };
    expect(await rows(id, { ...range, filters })).toEqual([
      { ...range, value: '111', dimensions: { customer_id: acme } },
    ]);
    const bySubject = await rows(id, { ...range, filters, group_by_dimensions: ['subject'] });
    expect(bySubject.map((row: { value: string }) => row.value)).toEqual(['1', '10', '100']);
    const phone = { dimensions: { ...filters.dimensions, subject: { in: ['phone', 'other'] } } };
    expect(await values(id, { filters: phone })).toEqual(['100']);
    const { json } = await backend.request('GET', `/events?filter[customer_id]=${acme}`);
    expect(json.data.map((item: { customer: { id: string } }) => item.customer.id)).toEqual([acme, acme, acme]);
  });

  test('a customer without usage has no row, and a count is not zero for everyone', async () => {
    const acme = await customer('acme', []);
    await ingest({ subject: 'somebody', data: { value: 1 } });
    const filters = { dimensions: { customer_id: { eq: acme } } };
    expect(await values(await meter({ aggregation: 'count' }), { filters })).toEqual([]);
  });

  test('distinct values are counted over all subjects of a customer', async () => {
    const acme = await customer('acme', ['a', 'b']);
    await ingest(
      { subject: 'a', data: { value: 'x' } },
      { subject: 'b', data: { value: 'x' } },
      { subject: 'b', data: { value: 'y' } },
    );
    const id = await meter({ aggregation: 'unique_count' });
    expect(await values(id, { filters: { dimensions: { customer_id: { in: [acme] } } } })).toEqual(['2']);
  });
});

describe('CSV', () => {
  beforeEach(anew);

  const csv = async (id: string, body: Record<string, unknown>) => {
    const answer = await backend.request('POST', `/meters/${id}/query`, { body, headers: { Accept: 'text/csv' } });
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
    return answer;
  };

  test('columns in the documented order, dimensions by name, cells quoted where needed', async () => {
    const { json: acme } = await backend.request('POST', '/customers', {
      body: { name: 'Acme, "the" Inc.', key: 'acme', usage_attribution: { subject_keys: ['a'] } },
    });
    await ingest({
      subject: 'a',
      time: '2026-11-01T00:00:00Z',
      data: { value: 1.5, model: 'x', agent: 'line\nbreak' },
    });
    const id = await meter({ key: 'usage_csv', dimensions: { model: '$.model', agent: '$.agent' } });
    const body = {
      granularity: 'P1D',
      group_by_dimensions: ['model', 'agent', 'subject'],
      filters: { dimensions: { customer_id: { eq: acme.id } } },
    };
    const answer = await csv(id, body);
    expect(answer.text).toBe(
      'from,to,subject,customer_id,customer_key,customer_name,agent,model,value\n' +
        `2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,a,${acme.id},acme,"Acme, ""the"" Inc.","line\nbreak",x,1.5\n`,
    );
    expect(answer.headers.get('content-disposition')).toContain('usage_csv');
  });

  test('what a spreadsheet would take for a formula is text; numbers stay numbers', async () => {
    const cells = ['=HYPERLINK("http://x")', '+1', '-2+3', '@SUM(A1)', '\tx', '\rx', '-5', 'a=b'];
    await ingest(...cells.map((model) => ({ subject: 'a', data: { value: -1.5, model } })));
    const id = await meter({ key: 'formulas', dimensions: { model: '$.model' } });
    const { text } = await csv(id, { group_by_dimensions: ['model'] });
    for (const cell of ['"\'=HYPERLINK(""http://x"")"', "'+1", "'-2+3", "'@SUM(A1)", "'\tx", '"\'\rx"', '-5', 'a=b']) {
      expect(text).toContain(`,${cell},-1.5\n`);
    }
  });

  test('an answer of many pieces is whole, as CSV and as JSON', async () => {
    const count = 2500;
    await ingest(...Array.from({ length: count }, (_, index) => ({ data: { value: index, model: `m${index}` } })));
    const id = await meter({ key: 'pieces', dimensions: { model: '$.model' } });
    const body = { group_by_dimensions: ['model'] };
    const { json } = await backend.request('POST', `/meters/${id}/query`, { body });
    const rows = json.data as { from: string; to: string; value: string; dimensions: { model: string } }[];
    expect(new Set(rows.map(({ value }) => value)).size).toBe(count);
    const lines = rows.map(({ from, to, value, dimensions }) => `${[from, to, dimensions.model, value].join()}\n`);
    expect((await csv(id, body)).text).toBe(`from,to,model,value\n${lines.join('')}`);
  });

  test('no rows: the header alone', async () => {
    expect((await csv(await meter(), {})).text).toBe('from,to,value\n');
  });
});

test('a malformed or unknown meter id: 404', async () => {
  for (const id of ['tokens', '01G65Z755AFWAKHE12NY0CQ9FH']) expect((await query(id)).status).toBe(404);
});
