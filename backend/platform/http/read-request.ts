import type { z } from '@hono/zod-openapi';
import { invalidParameter, notFound } from '../errors.ts';
import { mediaType, readJsonBody } from './body.ts';
import type { HttpContext } from './env.ts';
import { tooLongList } from './list-bounds.ts';
import { isMatchable, MATCHABLE } from './schemas.ts';
import { upperBound, validate } from './validation.ts';

/** Path parameters. @throws RequestProblem 404: nothing can exist under an id that is none */
export function readPathParams(schema: z.ZodObject, c: HttpContext): unknown {
  const result = schema.safeParse(c.req.param());
  if (result.success && Object.values(c.req.param()).every(isMatchable)) return result.data;
  throw notFound('entity', Object.values(c.req.param()).join('/'));
}

/**
 * A JSON body, checked.
 * @param body.isExact whether numbers are kept digit by digit
 * @param body.isOptional whether there may be none, which is then an empty object
 * @throws RequestProblem 400 that names each wrong field
 */
export async function readBody(
  c: HttpContext,
  schema: z.ZodType,
  { isExact, isOptional }: { isExact: boolean; isOptional: boolean },
): Promise<unknown> {
  const type = mediaType(c);
  if (isOptional && c.req.header('content-type') === undefined) return validate(schema, {}, 'body');
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json')) {
    throw invalidParameter({
      field: 'Content-Type',
      rule: 'enum',
      reason: 'must be application/json',
      choices: ['application/json'],
      source: 'header',
    });
  }
  const body = await readJsonBody(c, { isExact });
  const fault = textFault(body, []);
  if (fault !== undefined) {
    const { path, ...broken } = fault;
    throw invalidParameter({ field: path.length === 0 ? 'body' : path.join('.'), ...broken, source: 'body' });
  }
  const long = tooLongList(schema, body);
  if (long !== undefined) {
    const field = long.path.length === 0 ? 'body' : long.path.map(String).join('.');
    throw invalidParameter({ field, ...upperBound('array', long.maximum), source: 'body' });
  }
  return validate(schema, body, 'body');
}

interface TextFault {
  path: readonly string[];
  rule: 'unknown_property' | 'invalid';
  reason: string;
}

/**
 * What no schema sees. Those of free-form objects drop "__proto__" silently; no resource has such a key, so it is named
 * instead. And a text that a database would store as another one, or not at all, is refused wherever it stands.
 */
function textFault(value: unknown, path: readonly string[]): TextFault | undefined {
  if (typeof value === 'string') return isMatchable(value) ? undefined : { path, ...UNMATCHABLE };
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, '__proto__')) {
    return { path: [...path, '__proto__'], rule: 'unknown_property', reason: 'unknown property' };
  }
  for (const key of Object.keys(value)) {
    if (!isMatchable(key)) return { path: [...path, key.toWellFormed()], ...UNMATCHABLE };
    const child = (value as Record<string, unknown>)[key];
    // Most values have nothing in them: no path is made for these.
    const isPlain = typeof child === 'string' ? isMatchable(child) : typeof child !== 'object' || child === null;
    const found = isPlain ? undefined : textFault(child, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

const UNMATCHABLE = { rule: 'invalid', reason: MATCHABLE.error } as const;
