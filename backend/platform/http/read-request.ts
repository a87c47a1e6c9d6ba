import type { z } from '@hono/zod-openapi';
import { invalidParameter, notFound } from '../errors.ts';
import { mediaType, readJsonBody } from './body.ts';
import type { HttpContext } from './env.ts';
import { tooLongList } from './list-bounds.ts';
import { upperBound, validate } from './validation.ts';

/** Path parameters. @throws RequestProblem 404: nothing can exist under an id that is none */
export function readPathParams(schema: z.ZodObject, c: HttpContext): unknown {
  const result = schema.safeParse(c.req.param());
  if (result.success) return result.data;
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
  const hidden = pathOfProto(body, []);
  if (hidden !== undefined) {
    throw invalidParameter({ field: hidden, rule: 'unknown_property', reason: 'unknown property', source: 'body' });
  }
  const long = tooLongList(schema, body);
  if (long !== undefined) {
    const field = long.path.length === 0 ? 'body' : long.path.map(String).join('.');
    throw invalidParameter({ field, ...upperBound('array', long.maximum), source: 'body' });
  }
  return validate(schema, body, 'body');
}

/** Schemas of free-form objects drop "__proto__" silently; no resource has such a key, so it is named instead. */
function pathOfProto(value: unknown, path: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, '__proto__')) return [...path, '__proto__'].join('.');
  for (const key of Object.keys(value)) {
    const child = (value as Record<string, unknown>)[key];
    // Most values have nothing in them: no path is made for these.
    const found = typeof child === 'object' && child !== null ? pathOfProto(child, [...path, key]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
