import type { Random } from '../../support/random.ts';

type Schema = Record<string, unknown>;
/** Of an OpenAPI document: "#/components/schemas/…" and what it stands for. */
export type Resolve = (ref: string) => Schema;

/** What breaks programs: each is a JSON text, since some of it cannot be a JavaScript value. */
const HOSTILE: readonly [string, ...string[]] = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
  '1.7976931348623157e308',
  '2147483648',
  '""',
  '" "',
  '"NaN"',
  '"Infinity"',
  '"-0"',
  '"1e5"',
  '"0x10"',
  '"1_000"',
  '"١٢٣"',
  '"null"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ufeff"',
  '"\\u202e\\u0301\\u200d"',
  '"👩‍👩‍👧‍👦"',
  `"${"'; DROP TABLE events; --"}"`,
  '"%00%zz%"',
  '"../../../etc/passwd"',
  '"${jndi:ldap://x}"',
  '"(a+)+$"',
  '"$..[?(@.a == 1)]"',
  '"$[*][*][*][*]"',
  '"2026-02-30T00:00:00Z"',
  '"9999-12-31T23:59:59.999999999Z"',
  '"0000-01-01T00:00:00Z"',
  '"+275760-09-13T00:00:00Z"',
  '"2026-06-30T23:59:60Z"',
  '"P1Y2M3W4DT5H6M7S"',
  '"P99999999999Y"',
  '"PT0.0000001S"',
  '"P-1M"',
  '"Antarctica/Troll"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"toString":1,"valueOf":null,"hasOwnProperty":"x","length":-1}',
  '{"":""}',
  '{"a":1,"a":2}',
];

/** Values for the names that fields have, where a random text would only ever be refused. */
const BY_NAME: Record<string, readonly [string, ...string[]]> = {
  time_zone: ['UTC', 'Europe/Berlin', 'Pacific/Apia'],
  value_property: ['$.value', '$.tokens', '$'],
  country: ['DE', 'US'],
  currency: ['USD', 'EUR', 'JPY'],
  fiat_code: ['USD', 'EUR'],
  decimal_mark: ['.', ','],
  thousand_separator: [' ', "'"],
};

/** Writes JSON texts that a schema allows, and texts that it does not. */
export interface Values {
  /** @param name of the field that the value is for */
  valid(schema: Schema, name?: string): string;
  /** Like `valid`, with something hostile in place of some of its parts. @param share of the parts, 0 to 1 */
  mutated(schema: Schema, share: number): string;
  hostile(): string;
}

/** @param idOf an id that something has, for the field or parameter of that name */
export function createValues(random: Random, resolve: Resolve, idOf: (name: string) => string): Values {
  let share = 0;

  function hostile(): string {
    const kind = random.next();
    if (kind < 0.05) return `${'['.repeat(random.pick([10, 63, 64, 65, 5000]))}${']'.repeat(5000)}`.slice(0, 9000);
    if (kind < 0.1) return nested(random.pick([5, 63, 64, 65, 2000]));
    if (kind < 0.15)
      return JSON.stringify(random.pick(['a', '💥', '\u0000', '9', ' ']).repeat(random.between(1, 5000)));
    if (kind < 0.2) return `[${Array.from({ length: random.between(1, 2000) }, () => '1').join(',')}]`;
    return random.pick(HOSTILE);
  }

  function value(node: Schema, name: string, depth: number): string {
    if (share > 0 && random.next() < share) return hostile();
    const schema = typeof node['$ref'] === 'string' ? resolve(node['$ref']) : node;
    const branches = (schema['oneOf'] ?? schema['anyOf'] ?? schema['allOf']) as [Schema, ...Schema[]] | undefined;
    if (branches !== undefined) return value(random.pick(branches), name, depth);
    const type = [schema['type']].flat()[0];
    switch (type) {
      case 'object':
        return object(schema, name, depth);
      case 'array': {
        const least = Number(schema['minItems'] ?? 0);
        const length = depth > 8 ? least : random.between(least, least + 2);
        return `[${Array.from({ length }, () => value(schema['items'] as Schema, name, depth + 1)).join(',')}]`;
      }
      case 'string':
        return JSON.stringify(text(schema, name));
      case 'integer':
        return String(random.between(Number(schema['minimum'] ?? 0), Math.min(Number(schema['maximum'] ?? 9), 9)));
      case 'number':
        return String(random.between(0, 100) / random.pick([1, 3, 4]));
      case 'boolean':
        return random.pick(['true', 'false']);
      case 'null':
        return 'null';
      default:
        return random.pick(HOSTILE);
    }
  }

  function object(schema: Schema, name: string, depth: number): string {
    const required = (schema['required'] ?? []) as string[];
    const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).filter(
      ([field]) => (required.includes(field) && random.next() >= share / 4) || (depth < 8 && random.next() < 0.4),
    );
    // An id is that of what the object is called: "meter": {"id": …}.
    const nameOf = (field: string) => (field === 'id' ? `${name}Id` : field);
    const parts = fields.map(
      ([field, property]) => `${JSON.stringify(field)}:${value(property, nameOf(field), depth + 1)}`,
    );
    const additional = schema['additionalProperties'];
    if (typeof additional === 'object' && additional !== null && random.next() < 0.6) {
      parts.push(`"key":${value(additional as Schema, 'key', depth + 1)}`);
    }
    if (share > 0 && random.next() < share) parts.push(`${random.pick(HOSTILE_KEYS)}:${hostile()}`);
    return `{${parts.join(',')}}`;
  }

  function text(schema: Schema, name: string): string {
    const choices = schema['enum'] as [string, ...string[]] | undefined;
    if (choices !== undefined) return random.pick(choices);
    const { example, pattern, format } = schema as { example?: string; pattern?: string; format?: string };
    const named = BY_NAME[name];
    if (named !== undefined) return random.pick(named);
    if (format === 'date-time') return `2026-${random.pick(['10', '11', '12'])}-0${random.between(1, 9)}T12:00:00Z`;
    if (format?.startsWith('uri') === true) return 'https://example.com/';
    if (pattern?.includes('[0-9A-HJ') === true) return idOf(name);
    if (/(id|Id|keys)$/.test(name)) return idOf(name);
    if (pattern?.startsWith('^-?[0-9]') === true || pattern?.startsWith('^[0-9]') === true) {
      return random.pick(['0', '1', '2.5', '100', '0.000001']);
    }
    if (/duration|cadence|interval|period|after/.test(name)) return random.pick(['P1M', 'P1D', 'PT1H', 'P1Y', 'P2W']);
    if (name === 'key' || name.endsWith('_key')) return `k${random.between(1, 60)}`;
    return typeof example === 'string' ? example : `t${random.between(1, 99)}`;
  }

  return {
    valid: (schema, name = '') => {
      share = 0;
      return value(schema, name, 0);
    },
    mutated: (schema, wanted) => {
      share = wanted;
      return value(schema, '', 0);
    },
    hostile,
  };
}

const HOSTILE_KEYS: readonly [string, ...string[]] = [
  '"__proto__"',
  '"constructor"',
  '""',
  '"\\u0000"',
  '"id"',
  '"x y"',
];

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}
