import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import { parseInstant } from '../instant.ts';
import type { QueryParams } from './query-params.ts';

/** `from` (inclusive) and `to` (exclusive) of a query string. @throws RequestProblem 400 */
export function readTimeRange(params: QueryParams): { fromMs: number | undefined; toMs: number | undefined } {
  const fromMs = readInstant(params, 'from');
  const toMs = readInstant(params, 'to');
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw invalidParameter({ field: 'to', rule: 'invalid', reason: 'must be later than from', source: 'query' });
  }
  return { fromMs, toMs };
}

function readInstant(params: QueryParams, name: string): number | undefined {
  const text = params.get(name);
  if (text === undefined || text === '') return undefined;
  const atMs = parseInstant(text);
  if (atMs !== undefined) return atMs;
  const reason = 'must be an RFC 3339 date-time';
  throw invalidParameter({ field: name, rule: 'is_date_time', reason, source: 'query' });
}

/** `limit`, 1 to 1,000, default 100: what a picker shows. @throws RequestProblem 400 */
export function readLimit(params: QueryParams): number {
  const text = params.get('limit') ?? '100';
  const value = /^\d{1,4}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (value >= 1 && value <= 1000) return value;
  const reason = 'must be an integer between 1 and 1000';
  throw invalidParameter({ field: 'limit', rule: 'invalid', reason, source: 'query' });
}

/** Refuses what the operation does not know: a misspelt parameter would silently widen the answer. @throws RequestProblem 400 */
export function refuseUnknown(params: QueryParams, known: z.ZodObject): void {
  const names = Object.keys(known.shape);
  for (const field of params.keys()) {
    if (names.includes(field)) continue;
    const reason = `unknown parameter; known are ${names.join(', ')}`;
    throw invalidParameter({ field, rule: 'unknown_property', reason, source: 'query' });
  }
}

const parameter = (description: string) =>
  z
    .string()
    .optional()
    .openapi({ param: { in: 'query' }, description });

/** Documents optional query parameters by name. */
export function queryParameters(descriptions: Readonly<Record<string, string>>): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(descriptions).map(([name, text]) => [name, parameter(text)])));
}
