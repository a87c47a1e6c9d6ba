import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { headerOf, parseLogEntry, queryArgumentOf } from '../../../plugin/metering-and-billing/log-entry.ts';
import { recordings } from '../../gateway-player/index.ts';

const minimal = { request: { id: 'r1' }, response: { status: 200 } };

describe('a log entry', () => {
  test.each(recordings())('$source $requestId is read under its request id', ({ json, requestId }) => {
    expect(parseLogEntry(json)?.requestId).toBe(requestId);
  });

  test.each([
    undefined,
    null,
    42,
    minimal,
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{}',
    '{"request":{"id":"r1"}}',
    '{"request":{"id":"r1"},"response":{"status":"200"}}',
    '{"request":[],"response":{"status":200}}',
    '{"session":{"received":1},"response":{"status":200}}',
  ])('%j is none', (raw) => {
    expect(parseLogEntry(raw)).toBeUndefined();
  });

  test('without a request id takes that of the response header', () => {
    const entry = { request: { id: '' }, response: { status: 200, headers: { 'x-kong-request-id': 'from-header' } } };
    expect(parseLogEntry(JSON.stringify(entry))?.requestId).toBe('from-header');
  });

  test('without any id takes the hash of the entry, the same for a replay and another for another entry', () => {
    const json = JSON.stringify({ ...minimal, request: {} });
    const hash = createHash('sha256').update(json).digest('hex');
    expect(parseLogEntry(json)?.requestId).toBe(hash);
    expect(parseLogEntry(json)?.requestId).toBe(hash);
    expect(parseLogEntry(`${json} `)?.requestId).not.toBe(hash);
  });
});

describe('a header', () => {
  const message = { headers: { 'x-one': 'a', 'x-two': ['b', 'c'], 'x-empty': '', 'x-late': ['', 'd'], 'x-odd': true } };

  test.each([
    ['x-one', 'a'],
    ['x-two', 'b'],
    ['x-late', 'd'],
    ['x-empty', undefined],
    ['x-odd', undefined],
    ['x-absent', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('%s gives %j', (name, value) => {
    expect(headerOf(message, name)).toBe(value);
  });

  test.each(['authorization', 'proxy-authorization'])('%s, which Kong logs as REDACTED, is absent', (name) => {
    expect(headerOf({ headers: { [name]: 'REDACTED' } }, name)).toBeUndefined();
  });

  test('is absent where there are no headers', () => {
    expect(headerOf({}, 'x-one')).toBeUndefined();
    expect(headerOf({ headers: [] }, 'x-one')).toBeUndefined();
  });
});

describe('a query argument', () => {
  const request = {
    querystring: { one: 'a', two: ['b', 'c'], flag: true, empty: '', late: [true, '', 'd'], One: 'A' },
  };

  test.each([
    ['one', 'a'],
    ['One', 'A'],
    ['two', 'b'],
    ['late', 'd'],
    ['flag', undefined],
    ['empty', undefined],
    ['absent', undefined],
    ['toString', undefined],
  ])('%s gives %j', (name, value) => {
    expect(queryArgumentOf(request, name)).toBe(value);
  });
});
