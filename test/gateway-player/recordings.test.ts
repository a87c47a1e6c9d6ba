import { describe, expect, test } from 'vitest';
import { recording, recordings, vary } from './index.ts';

const REQUEST = '1241ae52f620917729ded05c653a733c';
const CHAT = '64ad5366269eef4879482e4397912d67';

describe('the recordings', () => {
  test('hold every recorded request once', () => {
    const all = recordings();
    expect(all).toHaveLength(42);
    expect(new Set(all.map(({ requestId }) => requestId)).size).toBe(42);
    expect(all.filter(({ json }) => json.includes('"ai"'))).toHaveLength(27);
  });
});

describe('a variation', () => {
  const original = JSON.parse(recording(REQUEST).json);

  test('of nothing is the same entry', () => {
    expect(JSON.parse(vary(recording(REQUEST).json, {}))).toEqual(original);
  });

  test('changes what it names and nothing else', () => {
    const changed = vary(recording(REQUEST).json, {
      requestId: 'another',
      startedAtMs: 1,
      consumer: { id: 'c', username: 'bob' },
      service: { id: 's', name: 'shop' },
      headers: { 'x-added': ['1', '2'] },
      querystring: { q: true },
    });
    const { 'x-consumer-custom-id': _customId, ...headers } = original.request.headers;
    expect(JSON.parse(changed)).toEqual({
      ...original,
      started_at: 1,
      request: {
        ...original.request,
        id: 'another',
        headers: { ...headers, 'x-consumer-id': 'c', 'x-consumer-username': 'bob', 'x-added': ['1', '2'] },
        querystring: { q: true },
      },
      response: {
        ...original.response,
        headers: { ...original.response.headers, 'x-kong-request-id': 'another' },
      },
      consumer: { id: 'c', username: 'bob', created_at: 1, updated_at: 1 },
      service: { ...original.service, id: 's', name: 'shop' },
    });
  });

  test('can take the Consumer away, as Kong leaves it out of a request that nobody authenticated', () => {
    const entry = JSON.parse(vary(recording(REQUEST).json, { consumer: null }));
    expect(Object.keys(entry)).not.toContain('consumer');
    expect(Object.keys(entry)).not.toContain('authenticated_entity');
    expect(JSON.stringify(entry.request.headers)).not.toMatch(/x-consumer|x-credential/);
  });

  test('can make an AI call as long as a conversation', () => {
    const long = vary(recording(CHAT).json, { leastBytes: 900_000 });
    expect(long.length).toBeGreaterThanOrEqual(900_000);
    expect(() => vary(recording(REQUEST).json, { leastBytes: 900_000 })).toThrow('only an AI call');
  });
});
