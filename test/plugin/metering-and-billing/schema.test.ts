import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigEntityChecks, Schema } from '../../../plugin/metering-and-billing/schema.ts';
import type { Field, FieldRule } from '../../../plugin/metering-and-billing/schema-language.ts';
import { applySchema, SchemaViolation } from '../../gateway-player/index.ts';

/**
 * The fields of the Enterprise plugin (3.14 to 3.16) as its documentation gives them: type, default, range, choice. The
 * last column says what else Kong is told.
 */
const FIELDS: Readonly<Record<string, Omit<FieldRule, 'description' | 'fields' | 'elements'>>> = {
  ingest_endpoint: {
    type: 'string',
    required: true,
    referenceable: true,
    match: '^https?://[^%s/]+%S*$',
    err: 'must be a URL that begins with http:// or https://',
  },
  api_token: { type: 'string', required: true, referenceable: true, encrypted: true },
  meter_api_requests: { type: 'boolean', default: true },
  meter_ai_token_usage: { type: 'boolean', default: true },
  subject: { type: 'record', required: true },
  'subject.look_up_value_in': {
    type: 'string',
    one_of: ['application', 'consumer', 'header', 'query'],
    default: 'consumer',
  },
  'subject.field': { type: 'string', len_min: 1 },
  attributes: { type: 'array' },
  'attributes.*': { type: 'record' },
  'attributes.*.source': { type: 'string', required: true, one_of: ['header', 'query'] },
  'attributes.*.look_up_value_in': { type: 'string', required: true, len_min: 1 },
  'attributes.*.event_property_name': { type: 'string', required: true, len_min: 1 },
  allow_status_codes: { type: 'array' },
  'allow_status_codes.*': {
    type: 'string',
    match_any: {
      patterns: ['^%d%d%d$', '^%d%d%d%-%d%d%d$'],
      err: 'must be a status code such as 200 or a range such as 200-299',
    },
  },
  timeout: { type: 'number', default: 10000 },
  keepalive: { type: 'number', default: 60000 },
  ssl_verify: { type: 'boolean', default: true },
  queue: { type: 'record', required: true },
  'queue.max_batch_size': { type: 'integer', default: 1, between: [1, 1000000] },
  'queue.max_coalescing_delay': { type: 'number', default: 1, between: [0, 3600] },
  'queue.max_entries': { type: 'integer', default: 10000, between: [1, 1000000] },
  'queue.max_bytes': { type: 'integer' },
  'queue.initial_retry_delay': { type: 'number', default: 0.01, between: [0.001, 1000000] },
  'queue.max_retry_delay': { type: 'number', default: 60, between: [0.001, 1000000] },
  'queue.max_retry_time': { type: 'number', default: 60 },
  'queue.concurrency_limit': { type: 'integer', default: 1, one_of: [-1, 1] },
  'queue.failure_threshold': { type: 'integer', default: 0, between: [0, 1000000] },
  'queue.breaker_cooldown': { type: 'number', default: 60, between: [0, 1000000] },
};

type Visit = (path: string, rule: FieldRule) => void;

function walk(fields: readonly Field[], visit: Visit, prefix = ''): void {
  for (const field of fields) for (const [name, rule] of Object.entries(field)) walkRule(rule, visit, prefix + name);
}

function walkRule(rule: FieldRule, visit: Visit, path: string): void {
  visit(path, rule);
  if (rule.fields !== undefined) walk(rule.fields, visit, `${path}.`);
  if (rule.elements !== undefined) walkRule(rule.elements, visit, `${path}.*`);
}

function rulesByPath(fields: readonly Field[]): Map<string, FieldRule> {
  const rules = new Map<string, FieldRule>();
  walk(fields, (path, rule) => rules.set(path, rule));
  return rules;
}

describe('the schema', () => {
  const rules = rulesByPath(Schema);

  test('has the fields of the Enterprise plugin and no other', () => {
    expect([...rules.keys()].sort()).toEqual(Object.keys(FIELDS).sort());
  });

  test.each(Object.entries(FIELDS))('%s has its type, default, range and choice', (path, expected) => {
    const { description, fields, elements, entity_checks, ...rest } = rules.get(path) ?? {};
    expect(rest).toEqual(expected);
  });

  test('describes every field in 10 to 500 characters, as Kong demands', () => {
    for (const [path, { description }] of rules) {
      if (path.endsWith('*')) continue;
      expect(description?.length, path).toBeGreaterThanOrEqual(10);
      expect(description?.length, path).toBeLessThanOrEqual(500);
    }
  });

  test('is JSON: nothing is lost on the way to Kong', () => {
    expect(JSON.parse(JSON.stringify(Schema))).toEqual(Schema);
  });

  test('has one field per entry, as Kong demands', () => {
    walk(Schema, (_path, { fields }) => {
      for (const field of fields ?? []) expect(Object.keys(field)).toHaveLength(1);
    });
    for (const field of Schema) expect(Object.keys(field)).toHaveLength(1);
  });
});

describe('every construct of the schema', () => {
  const dump = readFileSync(join(import.meta.dirname, '../../fixtures/kong/dump-all-plugins-schema.json'), 'utf8');
  const [accepted] = JSON.parse(dump) as [{ Schema: { fields: [{ config: FieldRule }] } }];
  const acceptedKeys = keysOf(accepted.Schema.fields[0].config, new Set());

  /** Not in the recorded schema, but attributes of a field in `kong/db/schema/metaschema.lua` of Kong 3.9.1. */
  const METASCHEMA = ['description', 'match_any', 'patterns', 'err', 'then_err'];

  test.each([...keysOf(Schema, new Set()), ...keysOf(ConfigEntityChecks, new Set())])('%s is known to Kong', (key) => {
    expect(acceptedKeys.has(key) || METASCHEMA.includes(key)).toBe(true);
  });

  test('stands at a type that Kong allows it for', () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      between: ['integer', 'number'],
      match: ['string'],
      match_any: ['string'],
      one_of: ['string', 'number', 'integer'],
      len_min: ['string', 'array'],
      referenceable: ['string'],
      encrypted: ['string'],
      elements: ['array'],
      fields: ['record'],
      entity_checks: ['record'],
    };
    walk(Schema, (path, rule) => {
      for (const key of Object.keys(rule)) expect(allowed[key] ?? [rule.type], `${path} ${key}`).toContain(rule.type);
    });
  });
});

/** The words of the schema language in a schema; names of fields are none. */
function keysOf(value: unknown, keys: Set<string>, isFieldList = false): Set<string> {
  if (Array.isArray(value)) {
    for (const item of value) keysOf(item, keys, isFieldList);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (!isFieldList && !(key in FIELDS)) keys.add(key);
      keysOf(inner, keys, key === 'fields');
    }
  }
  return keys;
}

describe('a gateway with this schema', () => {
  const required = { ingest_endpoint: 'https://meter.example/v3/openmeter/events', api_token: 'token' };

  test('fills the defaults in, and leaves the rest out', () => {
    expect(applySchema(Schema, required)).toEqual({
      ...required,
      meter_api_requests: true,
      meter_ai_token_usage: true,
      subject: { look_up_value_in: 'consumer' },
      timeout: 10000,
      keepalive: 60000,
      ssl_verify: true,
      queue: {
        max_batch_size: 1,
        max_coalescing_delay: 1,
        max_entries: 10000,
        initial_retry_delay: 0.01,
        max_retry_delay: 60,
        max_retry_time: 60,
        concurrency_limit: 1,
        failure_threshold: 0,
        breaker_cooldown: 60,
      },
    });
  });

  test.each([
    { api_token: '{vault://env/meter-token}', ingest_endpoint: '{vault://env/meter-endpoint}' },
    { ingest_endpoint: 'http://127.0.0.1/api/v3/openmeter/events' },
    { ingest_endpoint: 'http://[::1]:8888/api/v3/openmeter/events' },
    { subject: { look_up_value_in: 'application' } },
    { subject: { look_up_value_in: 'application', field: 'name' } },
    { subject: { look_up_value_in: 'header', field: 'x-customer-id' } },
    { subject: { field: 'custom_id' } },
    { attributes: [{ source: 'header', look_up_value_in: 'x-a', event_property_name: 'a' }] },
    { allow_status_codes: ['200', '300-399'] },
    { queue: { max_bytes: 1000, max_retry_time: -1, concurrency_limit: -1 } },
  ])('accepts %j', (config) => {
    expect(() => applySchema(Schema, { ...required, ...config })).not.toThrow();
  });

  test.each([
    [{ api_token: undefined }, 'api_token: required field missing'],
    [{ api_token: '' }, 'api_token: length must be at least 1'],
    [{ ingest_endpoint: 'meter.example' }, 'ingest_endpoint: must be a URL that begins with http:// or https://'],
    [{ ingest_endpoint: 'ftp://meter.example' }, 'ingest_endpoint: must be a URL that begins with http:// or https://'],
    [{ ingest_endpoint: 'http:// meter' }, 'ingest_endpoint: must be a URL that begins with http:// or https://'],
    [
      { subject: { look_up_value_in: 'cookie' } },
      'subject.look_up_value_in: expected one of: application, consumer, header, query',
    ],
    [{ subject: { look_up_value_in: 'header' } }, 'subject.field: required field missing'],
    [{ subject: { look_up_value_in: 'query' } }, 'subject.field: required field missing'],
    [{ subject: { look_up_value_in: 'header', field: '' } }, 'subject.field: length must be at least 1'],
    [{ subject: { field: 'tags' } }, 'subject.field: expected one of: id, custom_id, username'],
    [
      { attributes: [{ source: 'header', look_up_value_in: 'x' }] },
      'attributes.1.event_property_name: required field missing',
    ],
    [
      { attributes: [{ source: 'path', look_up_value_in: 'x', event_property_name: 'x' }] },
      'attributes.1.source: expected one of: header, query',
    ],
    [
      { attributes: [{ source: 'query', look_up_value_in: 'x', event_property_name: '' }] },
      'attributes.1.event_property_name: length must be at least 1',
    ],
    [
      { allow_status_codes: ['2xx'] },
      'allow_status_codes.1: must be a status code such as 200 or a range such as 200-299',
    ],
    [{ queue: { concurrency_limit: 4 } }, 'queue.concurrency_limit: expected one of: -1, 1'],
    [{ queue: { max_batch_size: 0 } }, 'queue.max_batch_size: value should be between 1 and 1000000'],
    [{ queue: { max_entries: 1.5 } }, 'queue.max_entries: expected an integer'],
    [{ queue: { failure_threshold: -1 } }, 'queue.failure_threshold: value should be between 0 and 1000000'],
    [{ ssl_verify: 'no' }, 'ssl_verify: expected a boolean'],
    [{ endpoint: 'x' }, 'endpoint: unknown field'],
  ])('refuses %j', (config, message) => {
    expect(() => applySchema(Schema, { ...required, ...config })).toThrow(new SchemaViolation(message));
  });

  test('and our own server, refuses to meter nothing', () => {
    const record: Field = {
      config: { type: 'record', required: true, fields: Schema, entity_checks: ConfigEntityChecks },
    };
    const apply = (config: object): unknown => applySchema([record], { config: { ...required, ...config } });
    expect(() => apply({ meter_api_requests: false })).not.toThrow();
    expect(() => apply({ meter_ai_token_usage: false })).not.toThrow();
    expect(() => apply({ meter_api_requests: false, meter_ai_token_usage: false })).toThrow(
      'at least one of meter_api_requests and meter_ai_token_usage must be true',
    );
  });
});
