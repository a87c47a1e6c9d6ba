import { type Json, type JsonObject, type Schema, schemaOf } from './schema.ts';

/** In hints: leave the property out. */
export const OMIT = Symbol('omit');

/** Values that a schema cannot know, by path ("phases.key"), by property ("FeatureReference.id") or by component ("ULID"). */
export type Hints = Record<string, Json | typeof OMIT>;

/** One way of making a body. */
export interface Variant {
  /** "minimal", "full", "longest", or the branch that it takes where "full" takes the first: "price=flat". */
  name: string;
  extent: 'minimal' | 'full' | 'longest';
  /** Branch of a union, by its path. */
  branches: ReadonlyMap<string, number>;
}

interface Making extends Omit<Variant, 'name'> {
  hints: Hints;
  /** Unions met on the way. */
  met: Map<string, Schema>;
  /** Components on the way from the root: what refers to itself ends there. */
  open: Set<string>;
}

const FULL: Variant = { name: 'full', extent: 'full', branches: new Map() };

/**
 * The ways to make a body: only what is required; everything; everything as long as it may be; and for each branch of
 * each union one that takes it.
 */
export function variantsOf(schema: Json, hints: Hints): Variant[] {
  const unions = new Map<string, Schema>();
  make(schema, FULL, hints, unions);
  const branches = [...unions].flatMap(([path, union]) =>
    union.branches.slice(1).map((_, index) => ({
      name: `${path}=${branchName(union, index + 1)}`,
      extent: 'full' as const,
      branches: new Map([[path, index + 1]]),
    })),
  );
  return [
    FULL,
    { ...FULL, name: 'minimal', extent: 'minimal' },
    { ...FULL, name: 'longest', extent: 'longest' },
    ...branches,
  ];
}

/** A body that the contract allows. */
export function instanceOf(schema: Json, variant: Variant, hints: Hints): Json {
  return make(schema, variant, hints, new Map());
}

function make(schema: Json, { extent, branches }: Variant, hints: Hints, met: Map<string, Schema>): Json {
  return makeValue(schema, '', { extent, branches, hints, met, open: new Set() }) as Json;
}

function copyOf(hint: Json | typeof OMIT): Json | typeof OMIT {
  return hint === OMIT ? OMIT : structuredClone(hint);
}

function branchName(union: Schema, index: number): string {
  const branch = schemaOf(union.branches[index] as Json);
  const tag = union.discriminator === undefined ? undefined : branch.properties[union.discriminator];
  return (tag === undefined ? branch.name : schemaOf(tag).enum?.[0]) ?? String(index);
}

function makeValue(node: Json, path: string, making: Making): Json | typeof OMIT {
  const schema = schemaOf(node);
  const name = schema.name ?? '';
  const hint = making.hints[path] ?? making.hints[name];
  if (hint !== undefined) return copyOf(hint);
  if (making.open.has(name) || schema.readOnly) return OMIT;
  if (name === '') return makePlain(schema, path, making);
  making.open.add(name);
  const value = makePlain(schema, path, making);
  making.open.delete(name);
  return value;
}

function makePlain(schema: Schema, path: string, making: Making): Json | typeof OMIT {
  if (schema.branches.length > 0) {
    making.met.set(path, schema);
    return makeValue(schema.branches[making.branches.get(path) ?? 0] as Json, path, making);
  }
  switch (schema.type) {
    case 'object':
      return makeObject(schema, path, making);
    case 'array': {
      const wanted = Math.max(schema.minItems ?? 0, making.extent === 'minimal' ? 0 : 1);
      const items = Array.from({ length: wanted }, () => makeValue(schema.items as Json, path, making));
      return items.includes(OMIT) ? OMIT : (items as Json[]);
    }
    case 'string':
      return makeString(schema, making.extent);
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1);
    case 'boolean':
      return false;
    default:
      return 'anything';
  }
}

function makeObject(schema: Schema, path: string, making: Making): Json {
  const object: JsonObject = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    if (making.extent === 'minimal' && !schema.required.includes(name)) continue;
    const below = path === '' ? name : `${path}.${name}`;
    const hint = making.hints[below] ?? making.hints[`${schema.name}.${name}`];
    const value = hint === undefined ? makeValue(property, below, making) : copyOf(hint);
    if (value !== OMIT) object[name] = value;
  }
  if (typeof schema.additional !== 'object' || making.extent === 'minimal') return object;
  const entries = making.extent === 'longest' ? Math.min(schema.maxProperties ?? 1, 50) : 1;
  for (let index = 0; index < entries; index += 1) {
    object[`key${index}`] = makeValue(schema.additional, path === '' ? 'key0' : `${path}.key0`, making) as Json;
  }
  return object;
}

/** Texts for the patterns that the contract has, by example. */
const EXAMPLES = ['key_1', 'USD', 'DE', 'P1M', '1', '01G65Z755AFWAKHE12NY0CQ9FH', 'a', 'txcd_10000000'];

function makeString(schema: Schema, extent: Making['extent']): string {
  if (schema.enum !== undefined) return schema.enum[0] ?? '';
  if (schema.format === 'date-time') return '2026-12-01T00:00:00Z';
  if (schema.format === 'ISO8601') return 'P1D';
  if (schema.format === 'uri' || schema.format === 'uri-reference') return 'https://example.com/path';
  const length = extent === 'longest' ? (schema.maxLength ?? 8) : Math.max(schema.minLength ?? 4, 4);
  const candidates = extent === 'longest' ? ['x'.repeat(length), ...EXAMPLES] : [...EXAMPLES, 'x'.repeat(length)];
  const fits = (text: string) =>
    (schema.pattern === undefined || new RegExp(schema.pattern).test(text)) &&
    text.length >= (schema.minLength ?? 0) &&
    text.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY);
  const found = (
    schema.pattern === undefined ? ['x'.repeat(Math.min(length, schema.maxLength ?? length))] : candidates
  ).find(fits);
  if (found === undefined) throw new Error(`no example for the pattern ${schema.pattern} of the contract`);
  return found;
}
