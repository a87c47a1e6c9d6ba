import { describe, expect, test } from 'vitest';
import { findAttributes, GATEWAY_PROPERTIES, readAttributes } from '../../../plugin/metering-and-billing/attributes.ts';
import { parseLogEntry } from '../../../plugin/metering-and-billing/log-entry.ts';
import { recording, type Variation, vary } from '../../gateway-player/index.ts';

const rule = (source: string, lookUp: string, property: string): object => ({
  source,
  look_up_value_in: lookUp,
  event_property_name: property,
});

function read(value: unknown): { rules: ReturnType<typeof readAttributes>; problems: string[]; warnings: string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  return { rules: readAttributes(value, problems, warnings), problems, warnings };
}

function find(rules: readonly object[], variation: Variation): Record<string, string> {
  const entry = parseLogEntry(vary(recording('1241ae52f620917729ded05c653a733c').json, variation));
  if (entry === undefined) throw new Error('the recording is no log entry');
  return findAttributes(read(rules).rules, entry);
}

describe('custom attributes', () => {
  test('are copied from headers, in any case, and from the query', () => {
    const rules = [rule('header', 'X-Department', 'department'), rule('query', 'plan', 'plan')];
    const variation = { headers: { 'x-department': 'sales' }, querystring: { plan: 'gold', Plan: 'lead' } };
    expect(find(rules, variation)).toEqual({ department: 'sales', plan: 'gold' });
  });

  test('take the first value of a list and leave out what is absent or empty', () => {
    const rules = ['many', 'none', 'flag', 'empty'].map((name) => rule('query', name, name));
    expect(find(rules, { querystring: { many: ['1', '2'], flag: true, empty: '' } })).toEqual({ many: '1' });
  });

  test('take the later of two rules for one property that finds a value', () => {
    const rules = [rule('header', 'x-a', 'team'), rule('query', 'team', 'team')];
    expect(find(rules, { headers: { 'x-a': 'header' }, querystring: { team: 'query' } })).toEqual({ team: 'query' });
    expect(find(rules, { headers: { 'x-a': 'header' }, querystring: {} })).toEqual({ team: 'header' });
  });

  test.each(['constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'valueOf'])(
    'may carry the name %s and do no harm',
    (property) => {
      const attributes = find([rule('query', 'x', property)], { querystring: { x: 'v' } });
      expect(JSON.parse(JSON.stringify(attributes))).toEqual({ [property]: 'v' });
      expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    },
  );

  test('are ignored, with a warning, under the name __proto__', () => {
    const { rules, warnings } = read([rule('query', 'x', '__proto__')]);
    expect(rules).toEqual([]);
    expect(warnings).toEqual(['attributes: the property __proto__ belongs to the gateway; the attribute is ignored']);
  });

  test.each(GATEWAY_PROPERTIES)('cannot set %s, which the gateway fills in', (property) => {
    const { rules, warnings, problems } = read([rule('header', 'x', property), rule('header', 'x', 'own')]);
    expect(rules.map(({ property: name }) => name)).toEqual(['own']);
    expect(warnings).toEqual([`attributes: the property ${property} belongs to the gateway; the attribute is ignored`]);
    expect(problems).toEqual([]);
  });

  test('are ignored, with a warning, for a header that Kong hides from its log', () => {
    const { rules, warnings } = read([rule('header', 'Authorization', 'auth')]);
    expect(rules).toEqual([]);
    expect(warnings).toEqual([
      'attributes: Kong hides the header authorization from its log; the attribute is ignored',
    ]);
    expect(read([rule('query', 'authorization', 'auth')]).rules).toHaveLength(1);
  });

  test.each([undefined, null, [], {}])('may be %j', (value) => {
    expect(read(value)).toEqual({ rules: [], problems: [], warnings: [] });
  });

  test.each([
    ['text'],
    [[1]],
    [[rule('cookie', 'a', 'b')]],
    [[rule('header', '', 'b')]],
    [[rule('header', 'a', '')]],
    [[{ source: 'header' }]],
  ])('%j is a problem', (value) => {
    expect(read(value).problems).toEqual([
      'attributes must be a list of records with source, look_up_value_in and event_property_name',
    ]);
  });
});
