import { CloudEvent } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { type MeteringSettings, readConfig } from '../../../plugin/metering-and-billing/config.ts';
import { type Usage, usageOf } from '../../../plugin/metering-and-billing/usage-events.ts';
import { kongConfig, recording, recordings, vary } from '../../gateway-player/index.ts';
import { fc } from '../../support/property.ts';
import { ALICE, expectedEvents, RECORDED_USAGE, type RecordedUsage, WITHOUT_CUSTOM_ID } from './recorded-usage.ts';

const REQUIRED = { ingest_endpoint: 'http://127.0.0.1:1/events', api_token: 'token' };
const PLAIN_CHAT = '64ad5366269eef4879482e4397912d67';
const UNAUTHENTICATED = RECORDED_USAGE.filter(({ username }) => username === undefined);

function settings(config: object = {}): MeteringSettings {
  const { config: read } = readConfig(kongConfig({ ...REQUIRED, ...config }));
  if (read === undefined) throw new Error('the configuration has problems');
  return read.metering;
}

/** Events as they go over the wire: what is undefined is not there. */
function sent({ events }: Usage): unknown {
  return JSON.parse(JSON.stringify(events));
}

const jsonOf = ({ requestId }: RecordedUsage): string => recording(requestId).json;
const unknownDrops = ({ unknownCounts }: RecordedUsage): object[] =>
  unknownCounts === undefined ? [] : [expect.objectContaining({ reason: 'unknown_token_count', count: unknownCounts })];

test('there is an expectation for every recording', () => {
  const expected = RECORDED_USAGE.map(({ requestId }) => requestId).sort();
  expect(
    recordings()
      .map(({ requestId }) => requestId)
      .sort(),
  ).toEqual(expected);
});

describe('every recorded request, billed by consumer', () => {
  test.each(RECORDED_USAGE)('$requestId', (usage) => {
    const made = usageOf(settings(), jsonOf(usage));
    if (usage.username === undefined) {
      expect(made).toMatchObject({
        outcome: 'no_subject',
        events: [],
        drops: [{ reason: 'no_subject', count: 1, detail: 'consumer username' }],
      });
    } else {
      expect(sent(made)).toEqual(expectedEvents(usage, 'alice', 'consumer_username'));
      expect(made.drops).toEqual(unknownDrops(usage));
    }
  });
});

describe('every recorded request, billed by a header that all of them have', () => {
  const byHost = settings({ subject: { look_up_value_in: 'header', field: 'Host' } });

  test.each(RECORDED_USAGE)('$requestId', (usage) => {
    const made = usageOf(byHost, jsonOf(usage));
    expect(sent(made)).toEqual(expectedEvents(usage, String(usage.apiRequest['request_host']), 'header'));
    expect(made.drops).toEqual(unknownDrops(usage));
  });
});

describe('every event', () => {
  const byHost = settings({ subject: { look_up_value_in: 'header', field: 'host' } });
  const all = recordings().flatMap(({ json }) => usageOf(byHost, json).events);

  test('is a CloudEvent in the eyes of the SDK', () => {
    for (const { time, ...event } of all) {
      expect(new CloudEvent({ ...event, ...(time !== undefined && { time }) }).validate()).toBe(true);
    }
  });

  test('has an id of its own and no null', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(JSON.stringify(all)).not.toContain('null');
  });

  test('tells nothing of credentials, other headers or conversations', () => {
    const made = JSON.stringify(recordings().map(({ json }) => usageOf(settings(), json)));
    const told = made + JSON.stringify(all);
    for (const { json } of recordings()) {
      for (const secret of secretsOf(json)) expect(told).not.toContain(secret);
    }
    expect(told).not.toMatch(/apikey|alice-key|REDACTED|authorization|credential|Hello there|\?/i);
  });
});

interface Entry {
  request: { headers: Record<string, string>; querystring: Record<string, string>; uri: string };
  authenticated_entity?: { id: string };
  ai?: { proxy: { payload?: { request: string; response: string } } };
}

/** Everything in an entry that no event may tell: the headers but host and user agent, the query, the payloads. */
function secretsOf(json: string): string[] {
  const { request, authenticated_entity: credential, ai } = JSON.parse(json) as Entry;
  const { host, 'user-agent': userAgent, ...headers } = request.headers;
  // What the Consumer is called is what is billed; a star or a length would match anything.
  const told = new Set([...Object.values(ALICE), '*/*', host, userAgent]);
  const { payload } = ai?.proxy ?? {};
  return [
    ...Object.values(headers).filter((value) => !told.has(value) && value.length > 4 && value !== 'application/json'),
    ...Object.values(request.querystring).filter((value) => value.length > 1),
    ...(request.uri.includes('?') ? [request.uri] : []),
    ...(credential === undefined ? [] : [credential.id]),
    ...(payload === undefined ? [] : [payload.request, payload.response]),
  ];
}

describe('the switches', () => {
  const chat = RECORDED_USAGE.find(({ requestId }) => requestId === PLAIN_CHAT);
  if (chat === undefined) throw new Error('no chat');
  const [api, ...tokens] = expectedEvents(chat, 'alice', 'consumer_username');

  test('meter_ai_token_usage alone meters tokens alone', () => {
    expect(sent(usageOf(settings({ meter_api_requests: false }), jsonOf(chat)))).toEqual(tokens);
  });

  test('meter_api_requests alone meters requests alone, and misses no count', () => {
    const apiOnly = settings({ meter_ai_token_usage: false });
    expect(sent(usageOf(apiOnly, jsonOf(chat)))).toEqual([api]);
    expect(usageOf(apiOnly, recording('e8d0c46f7969b542e10227767f169d03').json).drops).toEqual([]);
  });

  test('with tokens alone, a request that is no AI call is nothing, and no drop for want of a subject', () => {
    const tokensOnly = settings({ meter_api_requests: false });
    for (const usage of UNAUTHENTICATED) {
      expect(usageOf(tokensOnly, jsonOf(usage))).toMatchObject({ outcome: 'nothing_to_meter', events: [], drops: [] });
    }
  });

  test('with neither, nothing is', () => {
    const neither = settings({ meter_api_requests: false, meter_ai_token_usage: false });
    expect(usageOf(neither, jsonOf(chat))).toMatchObject({ events: [], drops: [] });
  });
});

describe('allow_status_codes', () => {
  test('meters what lies in a range, both kinds of events, and drops nothing', () => {
    const allowed = settings({
      subject: { look_up_value_in: 'header', field: 'host' },
      allow_status_codes: ['400-404', '499'],
    });
    for (const usage of RECORDED_USAGE) {
      const made = usageOf(allowed, jsonOf(usage));
      const isAllowed = [400, 401, 404, 499].includes(Number(usage.apiRequest['response_http_status']));
      expect(made.events).toHaveLength(isAllowed ? 1 : 0);
      expect(made.outcome).toBe(isAllowed ? 'metered' : 'status_not_allowed');
      expect(made.drops).toEqual([]);
    }
  });
});

describe('a subject', () => {
  test('that is missing is counted once per event', () => {
    const anonymous = vary(recording(PLAIN_CHAT).json, { consumer: null });
    expect(usageOf(settings(), anonymous).drops).toEqual([
      { reason: 'no_subject', count: 3, detail: 'consumer username' },
    ]);
  });

  test('that the chosen field does not have makes no event', () => {
    const byCustomId = settings({ subject: { look_up_value_in: 'consumer', field: 'custom_id' } });
    expect(usageOf(byCustomId, recording(WITHOUT_CUSTOM_ID).json)).toMatchObject({
      outcome: 'no_subject',
      events: [],
      drops: [{ reason: 'no_subject', count: 1, detail: 'consumer custom_id' }],
    });
  });
});

describe('custom attributes', () => {
  const attribute = (name: string, property: string): object => ({
    source: 'header',
    look_up_value_in: name,
    event_property_name: property,
  });

  test('stand in the data of all events of a request', () => {
    const made = usageOf(
      settings({ attributes: [attribute('X-Team', 'team')] }),
      vary(recording(PLAIN_CHAT).json, { headers: { 'x-team': 'blue' } }),
    );
    expect(made.events.map(({ data }) => data['team'])).toEqual(['blue', 'blue', 'blue']);
  });

  test('cannot replace what the gateway says', () => {
    const attributes = ['tokens', 'type', 'model', 'subject_type', 'response_http_status'].map((name) =>
      attribute(`x-${name}`, name),
    );
    const headers = { 'x-tokens': '0', 'x-type': 'none', 'x-model': 'cheap', 'x-subject_type': 'x' };
    const usage = RECORDED_USAGE.find(({ requestId }) => requestId === PLAIN_CHAT);
    const made = usageOf(settings({ attributes }), vary(recording(PLAIN_CHAT).json, { headers }));
    expect(usage && expectedEvents(usage, 'alice', 'consumer_username')).toEqual(sent(made));
  });
});

describe('ids and times', () => {
  test('are the same for a replay', () => {
    const { json } = recording(PLAIN_CHAT);
    expect(usageOf(settings(), json)).toEqual(usageOf(settings(), json));
  });

  test('without a start the event has no time, and the backend takes the time of receipt', () => {
    for (const startedAt of [undefined, null, 'yesterday', 1e300]) {
      const entry = { ...JSON.parse(recording(PLAIN_CHAT).json), started_at: startedAt };
      const made = usageOf(settings(), JSON.stringify(entry));
      expect(made.events.map(({ time }) => time)).toEqual([undefined, undefined, undefined]);
    }
  });
});

describe('the status of the upstream', () => {
  test.each([
    ['502, 502, 200', 200],
    ['200 : 404', 404],
    ['502, -', undefined],
    [' ', undefined],
    [503, 503],
    [null, undefined],
  ])('%j is %j', (logged, status) => {
    const entry = { ...JSON.parse(recording(PLAIN_CHAT).json), upstream_status: logged };
    expect(usageOf(settings(), JSON.stringify(entry)).events[0]?.data['upstream_status']).toBe(status);
  });
});

describe('the path', () => {
  test.each([
    ['/a/b?apikey=k', '/a/b'],
    ['/a#x?apikey=k', '/a'],
    ['/a?b?c', '/a'],
    ['?apikey=k', undefined],
    ['/', '/'],
  ])('of %s is %s', (uri, path) => {
    const entry = JSON.parse(recording(PLAIN_CHAT).json) as { request: object };
    entry.request = { ...entry.request, uri };
    expect(usageOf(settings(), JSON.stringify(entry)).events[0]?.data['request_uri']).toBe(path);
  });
});

test('a log entry of 900 KB costs no more than its own events', () => {
  const usage = RECORDED_USAGE.find(({ requestId }) => requestId === PLAIN_CHAT);
  const large = vary(recording(PLAIN_CHAT).json, { leastBytes: 900_000 });
  expect(large.length).toBeGreaterThanOrEqual(900_000);
  expect(usage && expectedEvents(usage, 'alice', 'consumer_username')).toEqual(sent(usageOf(settings(), large)));
});

describe('whatever the log entry is', () => {
  const every = settings({
    subject: { look_up_value_in: 'query', field: 'who' },
    attributes: [{ source: 'header', look_up_value_in: 'x', event_property_name: 'x' }],
  });

  test('nothing is thrown, and what is no entry is counted', () => {
    expect(usageOf(every, 'no JSON: apikey=alice-key')).toEqual({
      outcome: 'unreadable_log_entry',
      events: [],
      drops: [{ reason: 'unreadable_log_entry', count: 1 }],
    });
    fc.assert(fc.property(fc.anything(), (value) => usageOf(every, value).drops.length > 0));
  });

  test('with anything in the place of each of its fields, the events are still CloudEvents', () => {
    const entry = JSON.parse(recording(PLAIN_CHAT).json) as Record<string, object>;
    const paths = Object.entries(entry).flatMap(([name, value]) => [
      [name],
      ...(typeof value === 'object' ? Object.keys(value).map((inner) => [name, inner]) : []),
    ]);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), ([name, inner], value) => {
        const outer = String(name);
        const replaced = inner === undefined ? value : { ...entry[outer], [inner]: value };
        for (const event of usageOf(settings(), JSON.stringify({ ...entry, [outer]: replaced })).events) {
          expect(new CloudEvent(JSON.parse(JSON.stringify(event))).validate()).toBe(true);
          expect(Object.values(event.data)).not.toContain(null);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
