import type { z } from '@hono/zod-openapi';
import { childSchemas } from './validation.ts';

type Def = Record<string, unknown> & { type: string };

/** A list that is longer than its schema allows. */
export interface TooLong {
  path: readonly PropertyKey[];
  maximum: number;
}

/**
 * Finds a list in a body that has more items than its schema takes. A schema counts a list's items only after it has
 * looked into each of them, which is what the bound is to save.
 */
export function tooLongList(schema: z.ZodType, value: unknown, path: readonly PropertyKey[] = []): TooLong | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { def } = schema as unknown as { def: Def };
  if (def.type === 'array') return Array.isArray(value) ? inList(def, value, path) : undefined;
  if (def.type === 'object') return inObject(def['shape'] as Record<string, z.ZodType>, value, path);
  if (def.type === 'record') return undefined;
  return inEach(childSchemas(def) as z.ZodType[], value, path);
}

function inList(def: Def, value: readonly unknown[], path: readonly PropertyKey[]): TooLong | undefined {
  const maximum = maximumOf(def);
  if (value.length > maximum) return { path, maximum };
  const element = def['element'] as z.ZodType;
  for (const [index, item] of value.entries()) {
    if (typeof item !== 'object' || item === null) continue;
    const found = tooLongList(element, item, [...path, index]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inObject(shape: Record<string, z.ZodType>, value: object, path: readonly PropertyKey[]): TooLong | undefined {
  for (const [name, property] of Object.entries(shape)) {
    if (!Object.hasOwn(value, name)) continue;
    const found = tooLongList(property, (value as Record<string, unknown>)[name], [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of a union's branches each must have too long a list, since any of them may be meant; else there is but one. */
function inEach(schemas: readonly z.ZodType[], value: unknown, path: readonly PropertyKey[]): TooLong | undefined {
  let first: TooLong | undefined;
  for (const schema of schemas) {
    const found = tooLongList(schema, value, path);
    if (found === undefined) return undefined;
    first ??= found;
  }
  return first;
}

function maximumOf(def: Def): number {
  const checks = (def['checks'] ?? []) as { _zod: { def: { check: string; maximum?: number } } }[];
  const bounds = checks.map(({ _zod }) => (_zod.def.check === 'max_length' ? _zod.def.maximum : undefined));
  return Math.min(...bounds.filter((bound) => bound !== undefined), Number.POSITIVE_INFINITY);
}
