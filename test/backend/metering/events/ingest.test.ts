import { gzipSync } from 'node:zlib';
import { CloudEvent, emitterFor, Mode } from 'cloudevents';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type RequestOptions, reusedBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';

const SINGLE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

const reused = reusedBackend();
let backend: TestBackend;
beforeEach(async () => {
  backend = await reused.get();
});
afterAll(() => reused.close());

let counter = 0;
const event = (fields: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  id: `event-${++counter}`,
  source: 'tests',
  type: 'prompt',
  subject: 'alice',
  ...fields,
});
const post = (body: unknown, type = SINGLE, options: RequestOptions = {}) =>
  backend.request('POST', '/events', {
    rawBody: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    ...options,
    headers: { 'Content-Type': type, ...options.headers },
  });
const stored = async () => (await backend.request('GET', '/events?page[size]=100')).json.data;

describe('accepted', () => {
  test.each([
    ['one event', SINGLE, () => event(), 1],
    ['a batch', BATCH, () => [event(), event()], 2],
    ['one event as plain JSON', 'application/json', () => event(), 1],
    ['a batch as plain JSON', 'application/json', () => [event(), event(), event()], 3],
    ['an empty batch', BATCH, () => [], 0],
    ['an empty batch as plain JSON', 'application/json', () => [], 0],
    ['media type parameters and case', 'Application/CloudEvents+JSON; charset=utf-8', () => event(), 1],
  ])('%s', async (_name, type, body, count) => {
    const answer = await post(body(), type);
    expect(answer).toMatchObject({ status: 202, text: '' });
    expect(await stored()).toHaveLength(count);
  });

  test('absent specversion, time and data get their defaults', async () => {
    const { specversion: _specversion, ...bare } = event({ id: 'bare' });
    await post(bare);
    expect(await stored()).toEqual([
      {
        event: {
          id: 'bare',
          source: 'tests',
          specversion: '1.0',
          type: 'prompt',
          subject: 'alice',
          time: '2026-11-21T12:00:00Z',
        },
        ingested_at: '2026-11-21T12:00:00Z',
        stored_at: '2026-11-21T12:00:00Z',
        validation_errors: [
          { code: 'validation_error', message: 'no meter found for event type: prompt' },
          { code: 'validation_error', message: 'no customer found for event subject: alice' },
        ],
      },
    ]);
  });

  test.each(['time', 'datacontenttype', 'dataschema', 'data'])('null counts as absent: %s', async (attribute) => {
    expect((await post(event({ [attribute]: null }))).status).toBe(202);
    expect((await stored())[0].event.time).toBe('2026-11-21T12:00:00Z');
  });

  test.each([
    ['2026-11-21T03:04:05+02:00', '2026-11-21T01:04:05Z'],
    ['2026-11-21T03:04:05.1234567Z', '2026-11-21T03:04:05.123Z'],
    ['2024-02-29T23:59:59-11:30', '2024-03-01T11:29:59Z'],
    ['1970-01-01T00:00:01Z', '1970-01-01T00:00:01Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
  ])('time %s becomes %s', async (time, expected) => {
    expect((await post(event({ time }))).status).toBe(202);
    expect((await stored())[0].event.time).toBe(expected);
  });

  test('data keeps every digit and every key', async () => {
    const data =
      '{"big":12345678901234567890,"small":0.1234567890123456789,"huge":1e400,"__proto__":{"a":1},"nested":{"x":[1,null]}}';
    const body = JSON.stringify(event({ id: 'digits', data: 0 })).replace('"data":0', `"data":${data}`);
    expect((await post(body)).status).toBe(202);
    const listed = await backend.request('GET', '/events');
    expect(listed.text).toContain(`"data":${data}`);
  });

  test.each(['not a uri <>', 'a%2', 'a[1]', '#a#b', 'Zählerstand Süd', 'urn:ünïcode', 'https://example.com/a b'])(
    'source %s is kept as it is',
    async (source) => {
      await post(event({ source }));
      expect((await stored())[0].event.source).toBe(source);
    },
  );

  test('extension attributes are taken, by v1 too, and not kept; JSON types other than the plain one are', async () => {
    const extended = event({ traceparent: '00-1', tenant: 'x', retries: 3, sampled: true, gone: null, data: { n: 1 } });
    expect((await post(extended)).status).toBe(202);
    const body = JSON.stringify(event({ comacme: 'y', datacontenttype: 'application/json; charset=utf-8' }));
    const headers = { Authorization: `Bearer ${TOKENS.ingest}`, 'Content-Type': SINGLE };
    const v1 = await backend.app.request('/api/v1/events', { method: 'POST', headers, body });
    expect([v1.status, await v1.text()]).toEqual([204, '']);
    const kept = (await stored()).map((item: { event: object }) => Object.keys(item.event).sort().join());
    expect(kept.sort()).toEqual([
      'data,datacontenttype,id,source,specversion,subject,time,type',
      'id,source,specversion,subject,time,type',
    ]);
  });

  test('binary mode: attributes in headers, as the emitter of the cloudevents package sends them', async () => {
    const sent: { status: number; text: string }[] = [];
    const emit = emitterFor(async (message) => {
      const { headers, body } = message as { headers: Record<string, string>; body: string };
      const answer = await backend.request('POST', '/events', { rawBody: body, headers });
      sent.push(answer);
      return answer;
    });
    const common = {
      source: '/my/source',
      type: 'prompt',
      subject: 'alice',
      time: '2026-11-21T10:00:00Z',
      tenant: 'x',
    };
    await emit(new CloudEvent({ ...common, id: 'binary', data: { tokens: 3 } }));
    await emit(new CloudEvent({ ...common, id: 'structured', data: { tokens: 4 } }), {
      mode: Mode.STRUCTURED,
    } as never);
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'bare', 'ce-source': 's', 'ce-type': 'prompt' };
    sent.push(await backend.request('POST', '/events', { headers: { ...headers, 'ce-subject': 'M%C3%BCller 100%' } }));
    expect(sent.map(({ status }) => status)).toEqual([202, 202, 202]);
    const events = (await stored()).map((item: { event: Record<string, unknown> }) => item.event);
    const found = events.map(({ id, subject, data }: Record<string, unknown>) => [id, subject, data]);
    expect(found.sort()).toEqual([
      ['bare', 'Müller 100%', undefined],
      ['binary', 'alice', { tokens: 3 }],
      ['structured', 'alice', { tokens: 4 }],
    ]);
    const withoutId = await backend.request('POST', '/events', {
      headers: { 'ce-specversion': '1.0', 'ce-source': 's' },
    });
    expect(withoutId.json.invalid_parameters.map(({ field }: { field: string }) => field)).toEqual([
      'id',
      'type',
      'subject',
    ]);
    const xml = await backend.request('POST', '/events', {
      rawBody: '<a/>',
      headers: { ...headers, 'Content-Type': 'text/xml' },
    });
    expect(xml.json.invalid_parameters[0]).toMatchObject({ field: 'Content-Type', rule: 'enum' });
  });

  test('a body in gzip, and no larger than others when it is unpacked; no other encoding', async () => {
    const encoded = (text: string, encoding = 'gzip') =>
      post(gzipSync(text), BATCH, { headers: { 'Content-Encoding': encoding } });
    expect((await encoded(JSON.stringify([event(), event()]))).status).toBe(202);
    expect(await stored()).toHaveLength(2);
    expect((await encoded(`["${'x'.repeat(11 * 1024 * 1024)}"]`)).status).toBe(413);
    expect((await encoded('[]', 'br')).status).toBe(415);
    expect((await encoded('[]', 'gzip, gzip')).status).toBe(415);
    const broken = await post('[]', BATCH, { headers: { 'Content-Encoding': 'gzip' } });
    expect(broken.json.invalid_parameters).toEqual([expect.objectContaining({ field: 'body', rule: 'invalid' })]);
    expect((await post('[]', BATCH, { headers: { 'Content-Encoding': 'identity' } })).status).toBe(202);
  });

  test('with a slash at the end of the path, and where the collector of OpenMeter sends it', async () => {
    const headers = { Authorization: `Bearer ${TOKENS.ingest}`, 'Content-Type': SINGLE };
    const statuses: number[] = [];
    for (const path of [
      '/v3/openmeter/events/',
      '/api/v3/openmeter/events/',
      '/api/v1/events/',
      '/v3/openmeter/api/v1/events',
      '/api/v3/openmeter/api/v1/events/',
    ]) {
      const answer = await backend.app.request(path, { method: 'POST', headers, body: JSON.stringify(event()) });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([202, 202, 204, 204, 204]);
    expect(await stored()).toHaveLength(5);
  });

  test('dataschema is taken and not returned', async () => {
    await post(event({ dataschema: 'https://example.com/schema', datacontenttype: 'application/json', data: {} }));
    expect((await stored())[0].event).toMatchObject({ data: {}, datacontenttype: 'application/json' });
    expect((await stored())[0].event).not.toHaveProperty('dataschema');
  });

  test('under /api/v3 as well, and under /api/v1/events with 204', async () => {
    const headers = { Authorization: `Bearer ${TOKENS.admin}`, 'Content-Type': SINGLE };
    const v3 = await backend.app.request('/api/v3/openmeter/events', {
      method: 'POST',
      headers,
      body: JSON.stringify(event()),
    });
    expect(v3.status).toBe(202);
    const v1 = await backend.app.request('/api/v1/events', { method: 'POST', headers, body: JSON.stringify(event()) });
    expect([v1.status, await v1.text()]).toEqual([204, '']);
    expect(await stored()).toHaveLength(2);
  });

  test('a batch of 100,000 events is stored whole', async () => {
    const batch = Array.from({ length: 100_000 }, (_, index) => ({
      id: `${index}`,
      source: 's',
      type: 't',
      subject: 'a',
    }));
    expect((await post(batch, BATCH)).status).toBe(202);
    const rows = await backend.usage.list({ filters: [], sort: { field: 'time', direction: 'asc' }, size: 200_000 });
    expect(rows).toHaveLength(100_000);
  });
});

describe('duplicates', () => {
  test('succeed silently and count once; the first one stays', async () => {
    await post(event({ id: 'same', data: { n: 1 } }));
    expect((await post(event({ id: 'same', data: { n: 2 }, subject: 'bob' }))).status).toBe(202);
    expect((await stored()).map((item: { event: { data: unknown } }) => item.event.data)).toEqual([{ n: 1 }]);
  });

  test('inside one batch the first one counts', async () => {
    const batch = Array.from({ length: 1000 }, (_, n) => event({ id: 'same', data: { n } }));
    expect((await post(batch, BATCH)).status).toBe(202);
    expect((await stored()).map((item: { event: { data: unknown } }) => item.event.data)).toEqual([{ n: 0 }]);
  });

  test('the totals count every event that was sent', async () => {
    await post([event({ id: 'a' }), event({ id: 'a' }), event({ id: 'b' })], BATCH);
    await post([event({ id: 'b' }), event({ id: '' })], BATCH);
    await post([event({ id: 'b' }), event({ id: '' })], BATCH, { headers: { Prefer: 'handling=lenient' } });
    const { json } = await backend.request('GET', '/ingest-totals');
    expect(json).toEqual({ received: 4, stored: 2, duplicates: 2 });
  });

  test('the same id from another source is another event, also where the joined text is the same', async () => {
    await post([event({ source: 'a-b', id: 'c' }), event({ source: 'a', id: 'b-c' })], BATCH);
    expect(await stored()).toHaveLength(2);
  });
});

describe('refused with the field and the rule', () => {
  test.each([
    ['missing id', { id: undefined }, 'id', 'required'],
    ['empty id', { id: '' }, 'id', 'min_length'],
    ['numeric id', { id: 5 }, 'id', 'type'],
    ['half a surrogate pair in the id', { id: '\ud800' }, 'id', 'invalid'],
    ['missing source', { source: undefined }, 'source', 'required'],
    ['empty source', { source: '' }, 'source', 'min_length'],
    ['source with a line break', { source: 'a\nb' }, 'source', 'invalid'],
    ['source with half a surrogate pair', { source: '\udc00' }, 'source', 'invalid'],
    ['subject with a NUL, which no customer key can have', { subject: 'a\0' }, 'subject', 'invalid'],
    ['extension attribute with capital letters', { traceParent: '00-1' }, 'traceParent', 'unknown_property'],
    ['data in Base64', { data_base64: 'AA==' }, 'data_base64', 'unknown_property'],
    ['extension attribute that is an object', { tenant: { a: 1 } }, 'tenant', 'type'],
    ['missing type', { type: undefined }, 'type', 'required'],
    ['empty type', { type: '' }, 'type', 'min_length'],
    ['missing subject', { subject: undefined }, 'subject', 'required'],
    ['empty subject', { subject: '' }, 'subject', 'min_length'],
    ['null subject', { subject: null }, 'subject', 'type'],
    ['specversion 0.3', { specversion: '0.3' }, 'specversion', 'enum'],
    ['specversion 2', { specversion: '2.0' }, 'specversion', 'enum'],
    ['specversion as a number', { specversion: 1 }, 'specversion', 'type'],
    ['XML as content type of the data', { datacontenttype: 'application/xml' }, 'datacontenttype', 'enum'],
    ['dataschema that is no URI', { dataschema: 'schema.json' }, 'dataschema', 'invalid'],
    ['data that is a string', { data: 'text' }, 'data', 'is_object'],
    ['data that is a list', { data: [1] }, 'data', 'is_object'],
    ['data that is a number', { data: 5 }, 'data', 'is_object'],
    ['time that is no date', { time: 'yesterday' }, 'time', 'is_date_time'],
    ['time without an offset', { time: '2026-11-21T03:04:05' }, 'time', 'is_date_time'],
    ['time without a time', { time: '2026-11-21' }, 'time', 'is_date_time'],
    ['February 30', { time: '2026-02-30T00:00:00Z' }, 'time', 'is_date_time'],
    ['hour 24', { time: '2026-02-20T24:00:00Z' }, 'time', 'is_date_time'],
    ['Unix seconds', { time: 1795226352 }, 'time', 'type'],
    ['the beginning of 1970', { time: '1970-01-01T00:00:00Z' }, 'time', 'invalid'],
    ['1969', { time: '1969-12-31T23:59:59Z' }, 'time', 'invalid'],
  ])('%s', async (_name, fields, field, rule) => {
    const answer = await post(event(fields));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json.invalid_parameters).toEqual([expect.objectContaining({ field, rule, source: 'body' })]);
    expect(await stored()).toEqual([]);
  });

  test('__proto__ as an attribute', async () => {
    const body = JSON.stringify(event()).replace('"id"', '"__proto__":{"x":1},"id"');
    const answer = await post(body);
    expect(answer.json.invalid_parameters).toEqual([
      expect.objectContaining({ field: '__proto__', rule: 'unknown_property' }),
    ]);
  });

  test('one bad event refuses its whole batch and is named by its index', async () => {
    const answer = await post([event(), event({ subject: '' }), event({ id: undefined, type: 7 })], BATCH);
    expect(answer.json).toMatchObject({
      status: 400,
      type: 'https://kongapi.info/konnect/bad-request',
      instance: expect.stringMatching(/^urn:request:/),
      invalid_parameters: [
        { field: '1.subject', rule: 'min_length', minimum: 1 },
        { field: '2.id', rule: 'required' },
        { field: '2.type', rule: 'type' },
      ],
    });
    expect(await stored()).toEqual([]);
  });

  test.each([
    ['malformed JSON', '{"id":', SINGLE, 'body'],
    ['no body', '', SINGLE, 'body'],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), SINGLE, 'body'],
    ['NaN', '{"id":NaN}', SINGLE, 'body'],
    ['Infinity', '{"data":{"v":Infinity}}', SINGLE, 'body'],
    ['a list as one event', '[]', SINGLE, 'body'],
    ['one event as a batch', '{}', BATCH, 'body'],
    ['null', 'null', 'application/json', 'body'],
    ['a string', '"x"', 'application/json', 'body'],
    ['a list of numbers', '[1]', BATCH, '0'],
    ['text', '{}', 'text/plain', 'Content-Type'],
    ['XML', '{}', 'application/cloudevents+xml', 'Content-Type'],
    ['an unreadable content type', '{}', 'json', 'Content-Type'],
    ['nesting of 100,000 levels', `{"data":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, SINGLE, 'body'],
    ['nesting of 65 levels', JSON.stringify(nested(65)), SINGLE, 'body'],
  ])('%s', async (_name, rawBody, type, field) => {
    const answer = await backend.request('POST', '/events', {
      rawBody,
      headers: { 'Content-Type': type },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters[0].field).toBe(field);
    expect(await stored()).toEqual([]);
  });

  test('a missing content type', async () => {
    const answer = await backend.app.request('/v3/openmeter/events', {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKENS.admin}` },
      body: new Uint8Array([0x7b, 0x7d]),
    });
    expect(answer.status).toBe(400);
  });

  test('a batch of 100,000 bad events is answered briefly', async () => {
    const answer = await post(Array(100_000).fill({}), BATCH);
    expect(answer.status).toBe(400);
    expect(answer.json.invalid_parameters.length).toBeLessThanOrEqual(100);
    expect(answer.json.invalid_parameters[0]).toMatchObject({ field: '0.id', rule: 'required' });
  });

  test('an 11 MiB body: 413, with and without a length', async () => {
    const big = JSON.stringify(event({ data: { text: 'x'.repeat(11 * 1024 * 1024) } }));
    const answer = await post(big);
    expect([answer.status, answer.json.title]).toEqual([413, 'Content Too Large']);
    const stream = new Response(big).body;
    const streamed = await backend.app.request('/v3/openmeter/events', {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKENS.admin}`, 'Content-Type': SINGLE },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
    expect(await stored()).toEqual([]);
  });
});

describe('lenient handling', () => {
  test('stores the good events and explains the others', async () => {
    await post(event({ id: 'known' }));
    const batch = [event({ id: 'good' }), event({ id: 'bad', subject: '' }), event({ id: 'known' }), 'text', { id: 7 }];
    const answer = await post(batch, BATCH, { headers: { Prefer: 'respond-async, handling=lenient' } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('handling=lenient');
    expect(answer.json).toMatchObject({ received: 5, stored: 1, duplicates: 1 });
    expect(answer.json.rejected.map((item: { index: number; id?: string }) => [item.index, item.id])).toEqual([
      [1, 'bad'],
      [3, undefined],
      [4, undefined],
    ]);
    expect(answer.json.rejected[0].invalid_parameters).toEqual([
      { field: 'subject', rule: 'min_length', minimum: 1, reason: 'must not be empty', source: 'body' },
    ]);
    expect((await stored()).map((item: { event: { id: string } }) => item.event.id).sort()).toEqual(['good', 'known']);
  });

  test('a hundred thousand refusals: the first are explained, all are counted, the good ones stored', async () => {
    const batch = [...Array(99_990).fill(0), ...Array.from({ length: 10 }, () => event())];
    const answer = await post(batch, BATCH, { headers: { Prefer: 'handling=lenient' } });
    expect(answer.json).toMatchObject({ received: 100_000, stored: 10, rejected_total: 99_990 });
    expect(answer.json.rejected).toHaveLength(100);
    expect(answer.text.length).toBeLessThan(20_000);
    expect(await stored()).toHaveLength(10);
    const tooMany = await post(`[${'0,'.repeat(100_000)}0]`, BATCH, { headers: { Prefer: 'handling=lenient' } });
    expect(tooMany.json.invalid_parameters).toEqual([
      { field: 'body', rule: 'max_items', maximum: 100_000, reason: 'must have at most 100000 events', source: 'body' },
    ]);
  });

  test('a body that is no list of events is refused all the same', async () => {
    expect((await post('{', BATCH, { headers: { Prefer: 'handling=lenient' } })).status).toBe(400);
  });

  test('strict handling stays the default', async () => {
    const answer = await post([event(), event({ id: '' })], BATCH, { headers: { Prefer: 'handling=strict' } });
    expect(answer.status).toBe(400);
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels - 2; level++) value = { value };
  return { ...event(), data: { value } };
}
