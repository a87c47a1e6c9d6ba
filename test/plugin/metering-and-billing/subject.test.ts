import { describe, expect, test } from 'vitest';
import { type LogEntry, parseLogEntry } from '../../../plugin/metering-and-billing/log-entry.ts';
import { findSubject, readSubjectLookup, type Subject } from '../../../plugin/metering-and-billing/subject.ts';
import { recording, type Variation, vary } from '../../gateway-player/index.ts';
import { ALICE, WITHOUT_CUSTOM_ID } from './recorded-usage.ts';

const AUTHENTICATED = '1241ae52f620917729ded05c653a733c';
const ANONYMOUS = '5234c36d7d3b1e76d15a1e2762e6f27c';

function entryOf(requestId: string, variation: Variation = {}, extra: object = {}): LogEntry {
  const varied = JSON.parse(vary(recording(requestId).json, variation)) as object;
  const entry = parseLogEntry(JSON.stringify({ ...varied, ...extra }));
  if (entry === undefined) throw new Error('the recording is no log entry');
  return entry;
}

function find(config: unknown, entry: LogEntry): Subject | undefined {
  const problems: string[] = [];
  const lookup = readSubjectLookup(config, problems);
  expect(problems).toEqual([]);
  if (lookup === undefined) throw new Error('no lookup');
  return findSubject(lookup, entry);
}

describe('the consumer as subject', () => {
  test.each([
    [undefined, 'consumer_username', ALICE.username],
    ['username', 'consumer_username', ALICE.username],
    ['id', 'consumer_id', ALICE.id],
    ['custom_id', 'consumer_custom_id', ALICE.custom_id],
  ])('field %s gives %s', (field, type, value) => {
    const config = { look_up_value_in: 'consumer', ...(field !== undefined && { field }) };
    expect(find(config, entryOf(AUTHENTICATED))).toEqual({ value, type });
  });

  test.each([undefined, null, {}])('is the default: %j', (config) => {
    expect(find(config, entryOf(AUTHENTICATED))).toEqual({ value: 'alice', type: 'consumer_username' });
  });

  test('is absent when the chosen field is', () => {
    const config = { look_up_value_in: 'consumer', field: 'custom_id' };
    expect(find(config, entryOf(WITHOUT_CUSTOM_ID))).toBeUndefined();
    const named = entryOf(AUTHENTICATED, { consumer: { id: 'c-1', custom_id: 'x' } });
    expect(find({ look_up_value_in: 'consumer' }, named)).toBeUndefined();
  });

  test('is absent when nobody is authenticated', () => {
    expect(find({}, entryOf(ANONYMOUS))).toBeUndefined();
    expect(find({}, entryOf(AUTHENTICATED, { consumer: null }))).toBeUndefined();
  });
});

describe('a header or query argument as subject', () => {
  test.each(['x-customer-id', 'X-Customer-Id', 'X-CUSTOMER-ID'])('finds the header under %s', (field) => {
    const entry = entryOf(ANONYMOUS, { headers: { 'x-customer-id': 'acme' } });
    expect(find({ look_up_value_in: 'header', field }, entry)).toEqual({ value: 'acme', type: 'header' });
  });

  test('takes the first value of a repeated header and of a repeated argument', () => {
    const entry = entryOf(ANONYMOUS, {
      headers: { 'x-customer-id': ['a', 'b'] },
      querystring: { customer: ['c', 'd'] },
    });
    expect(find({ look_up_value_in: 'header', field: 'x-customer-id' }, entry)?.value).toBe('a');
    expect(find({ look_up_value_in: 'query', field: 'customer' }, entry)).toEqual({ value: 'c', type: 'query' });
  });

  test('distinguishes the case of an argument', () => {
    const entry = entryOf(ANONYMOUS, { querystring: { Customer: 'A' } });
    expect(find({ look_up_value_in: 'query', field: 'customer' }, entry)).toBeUndefined();
  });

  test.each([true, '', '   '] as const)('an argument with the value %j counts as absent', (value) => {
    const entry = entryOf(ANONYMOUS, { querystring: { customer: value } });
    expect(find({ look_up_value_in: 'query', field: 'customer' }, entry)).toBeUndefined();
  });

  test.each(['constructor', '__proto__', 'toString'])('does not take %s from the prototype', (field) => {
    expect(find({ look_up_value_in: 'header', field }, entryOf(ANONYMOUS))).toBeUndefined();
    expect(find({ look_up_value_in: 'query', field }, entryOf(ANONYMOUS))).toBeUndefined();
    expect(
      find({ look_up_value_in: 'application', field }, entryOf(ANONYMOUS, {}, { application: {} })),
    ).toBeUndefined();
  });
});

describe('an application as subject', () => {
  const entry = entryOf(ANONYMOUS, {}, { application: { id: 'app-1', name: 'Shop', number: 7, tags: ['x'] } });

  test.each([
    [undefined, { value: 'app-1', type: 'application_id' }],
    ['id', { value: 'app-1', type: 'application_id' }],
    ['name', { value: 'Shop', type: 'application_name' }],
    ['number', { value: '7', type: 'application_number' }],
    ['tags', undefined],
    ['absent', undefined],
  ])('field %s gives %j', (field, subject) => {
    expect(find({ look_up_value_in: 'application', ...(field !== undefined && { field }) }, entry)).toEqual(subject);
  });

  test('is absent in an entry without one, as an open source gateway logs it', () => {
    expect(find({ look_up_value_in: 'application' }, entryOf(AUTHENTICATED))).toBeUndefined();
  });
});

describe('reading the subject record', () => {
  test.each([
    [{ look_up_value_in: 'cookie' }, 'subject.look_up_value_in must be one of application, consumer, header, query'],
    [{ look_up_value_in: 'header' }, 'subject.field is required when the subject is a header'],
    [{ look_up_value_in: 'query' }, 'subject.field is required when the subject is a query argument'],
    [{ field: 'tags' }, 'subject.field must be one of id, custom_id, username when the subject is the consumer'],
    [
      { look_up_value_in: 'header', field: 'Authorization' },
      'subject.field cannot be authorization: Kong hides it from its log',
    ],
    [{ look_up_value_in: 'application', field: 7 }, 'subject.field must be a string that is not empty'],
    ['consumer', 'subject must be a record'],
  ])('%j is a problem', (config, problem) => {
    const problems: string[] = [];
    readSubjectLookup(config, problems);
    expect(problems).toContain(problem);
  });
});
