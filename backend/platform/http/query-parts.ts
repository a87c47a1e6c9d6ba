/** Parts of query strings that many operations have. Pages, sorting and filters have files of their own. */
import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import { parseInstant } from '../instant.ts';
import type { QueryPart } from './query.ts';

/** A text that may be left out. */
export function text(name: string, description: string): QueryPart<string | undefined> {
  return { parameters: { [name]: documented(z.string(), description) }, read: (params) => params.get(name) };
}

/** "true" or "false"; left out, it is false. */
export function flag(name: string, description: string): QueryPart<boolean> {
  return {
    parameters: { [name]: documented(z.string(), description) },
    read: (params) => {
      const given = params.get(name) ?? 'false';
      if (given === 'true' || given === 'false') return given === 'true';
      throw invalidParameter({ field: name, rule: 'invalid', reason: 'must be true or false', source: 'query' });
    },
  };
}

/** One of a few values; without a fallback it must not be left out. */
export function choice<const Value extends string>(
  name: string,
  description: string,
  choices: readonly Value[],
  { fallback, schema = z.string() }: { fallback?: NoInfer<Value>; schema?: z.ZodType } = {},
): QueryPart<Value> {
  return {
    parameters: { [name]: documented(schema, description) },
    read: (params) => {
      const given = params.get(name) ?? fallback;
      if (given === undefined) throw missing(name);
      const chosen = choices.find((value) => value === given);
      if (chosen === undefined) throw notOneOf(name, choices);
      return chosen;
    },
  };
}

/** `expand`: whether what may be added to the answer is asked for, alone or, as in other servers, in a list. */
export function expand(value: string, description: string): QueryPart<boolean> {
  return {
    parameters: { expand: documented(z.string(), description) },
    read: (params) => {
      const given = params.get('expand') ?? '';
      if (given === '') return false;
      if (given.split(',').every((item) => item === value)) return true;
      throw notOneOf('expand', [value]);
    },
  };
}

/** Milliseconds since the epoch; undefined where it is left out. */
export function instant(name: string, description: string): QueryPart<number | undefined> {
  return {
    parameters: { [name]: documented(z.string(), description) },
    read: (params) => {
      const given = params.get(name);
      if (given === undefined) return undefined;
      const atMs = parseInstant(given);
      if (atMs !== undefined) return atMs;
      const reason = 'must be an RFC 3339 date-time';
      throw invalidParameter({ field: name, rule: 'is_date_time', reason, source: 'query' });
    },
  };
}

export interface TimeRange {
  fromMs: number | undefined;
  toMs: number | undefined;
}

/** `from` (inclusive) and `to` (exclusive), each of which may be left out, or be empty as in a form. */
export function timeRange(descriptions: { from: string; to: string }): QueryPart<TimeRange> {
  const [from, to] = [instant('from', descriptions.from), instant('to', descriptions.to)];
  return {
    parameters: { ...from.parameters, ...to.parameters },
    read: (params) => {
      const filled = new Map([...params].filter(([, value]) => value !== ''));
      const [fromMs, toMs] = [from.read(filled), to.read(filled)];
      if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
        throw invalidParameter({ field: 'to', rule: 'invalid', reason: 'must be later than from', source: 'query' });
      }
      return { fromMs, toMs };
    },
  };
}

/** `limit`, 1 to 1,000, default 100: what a picker shows. @param things as in "Values at most" */
export function limit(things: string): QueryPart<number> {
  return {
    parameters: { limit: documented(z.string(), `${things} at most, 1 to 1,000, default 100.`) },
    read: (params) => {
      const given = params.get('limit') ?? '100';
      const value = /^\d{1,4}$/.test(given) ? Number.parseInt(given, 10) : 0;
      if (value >= 1 && value <= 1000) return value;
      const reason = 'must be an integer between 1 and 1000';
      throw invalidParameter({ field: 'limit', rule: 'invalid', reason, source: 'query' });
    },
  };
}

/** Has a parameter that may be left out documented. */
export function documented(schema: z.ZodType, description: string): z.ZodType {
  return schema.optional().openapi({ param: { in: 'query' }, description });
}

export function missing(field: string) {
  return invalidParameter({ field, rule: 'required', reason: 'is required', source: 'query' });
}

export function notOneOf(field: string, choices: readonly string[]) {
  const reason = `must be one of ${choices.join(', ')}`;
  return invalidParameter({ field, rule: 'enum', reason, choices, source: 'query' });
}
