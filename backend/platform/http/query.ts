import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import type { QueryParams } from './query-params.ts';

/** One thing that a query string says, in one or several parameters: their documentation, and what is read of them. */
export interface QueryPart<Value> {
  /** By name, in the order of the document. */
  parameters: Readonly<Record<string, z.ZodType>>;
  /** @throws RequestProblem 400 that names the parameter and its rule */
  read(params: QueryParams): Value;
}

/** The query string of an operation: what documents it is what reads it. */
export interface Query<Value> {
  schema: z.ZodObject;
  read(params: QueryParams): Value;
}

type Parts = Readonly<Record<string, QueryPart<unknown>>>;
type ValuesOf<P extends Parts> = { readonly [Name in keyof P]: P[Name] extends QueryPart<infer Value> ? Value : never };

/** A part of which something else is told, or which is judged further. @param toValue throws a RequestProblem */
export function refine<Given, Value>(part: QueryPart<Given>, toValue: (given: Given) => Value): QueryPart<Value> {
  return { parameters: part.parameters, read: (params) => toValue(part.read(params)) };
}

/** A query string of these parts; other parameters are passed over, as clients of other servers send some. */
export function queryOf<P extends Parts>(parts: P): Query<ValuesOf<P>> {
  const entries = Object.entries(parts);
  return {
    schema: z.object(Object.assign({}, ...entries.map(([, { parameters }]) => parameters))),
    read: (params) => Object.fromEntries(entries.map(([name, { read }]) => [name, read(params)])) as ValuesOf<P>,
  };
}

/** Refuses other parameters: in operations of our own, where a misspelt one would silently widen the answer. */
export function strictQueryOf<P extends Parts>(parts: P): Query<ValuesOf<P>> {
  const { schema, read } = queryOf(parts);
  const names = Object.keys(schema.shape);
  return {
    schema,
    read: (params) => {
      for (const field of params.keys()) {
        if (names.includes(field)) continue;
        const reason = `unknown parameter; known are ${names.join(', ')}`;
        throw invalidParameter({ field, rule: 'unknown_property', reason, source: 'query' });
      }
      return read(params);
    },
  };
}
