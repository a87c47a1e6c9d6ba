import { type Json, type JsonObject, type Schema, schemaOf } from './schema.ts';

/** A body that the contract does not allow. */
export interface Mutation {
  /** The field that is wrong, dotted. */
  field: string;
  /** What is wrong with it: a keyword of the schema. */
  rule:
    | 'required'
    | 'type'
    | 'enum'
    | 'pattern'
    | 'format'
    | 'minLength'
    | 'maxLength'
    | 'minimum'
    | 'maximum'
    | 'minItems'
    | 'maxItems'
    | 'maxProperties'
    | 'additionalProperties';
  /** The value in its place; undefined: it is missing. */
  wrong: Json | undefined;
  body: Json;
}

type Steps = readonly (string | number)[];
const REMOVE = Symbol('remove');

/** Every way in which one field of a valid body can break one rule of its schema. */
export function mutationsOf(schema: Json, body: Json): Mutation[] {
  const found: Mutation[] = [];
  walk(schema, body, [], (steps, rule, value) => {
    const field = steps.length === 0 ? 'body' : steps.join('.');
    const wrong = value === REMOVE ? undefined : value;
    found.push({ field, rule, wrong, body: replace(body, steps, value) });
  });
  return found;
}

type Report = (steps: Steps, rule: Mutation['rule'], value: Json | typeof REMOVE) => void;

function walk(node: Json, value: Json, steps: Steps, report: Report): void {
  const schema = schemaOf(node);
  if (schema.branches.length > 0) walkUnion(schema, value, steps, report);
  if (schema.branches.length > 0 || schema.type === undefined) return;
  for (const wrong of wrongTypes(schema)) report(steps, 'type', wrong);
  if (schema.type === 'object') walkObject(schema, value as JsonObject, steps, report);
  if (schema.type === 'array') walkArray(schema, value as Json[], steps, report);
  if (schema.type === 'string') for (const [rule, wrong] of wrongStrings(schema)) report(steps, rule, wrong);
  if (schema.minimum !== undefined) report(steps, 'minimum', schema.minimum - 1);
  if (schema.maximum !== undefined) report(steps, 'maximum', schema.maximum + 1);
}

function walkUnion(schema: Schema, value: Json, steps: Steps, report: Report): void {
  const { discriminator } = schema;
  if (discriminator === undefined) {
    report(steps, 'type', 17);
    const takesText = schema.branches.some((branch) => schemaOf(branch).type === 'string');
    // Neither an instant nor a name nor a code.
    if (takesText) report(steps, 'enum', '?!');
    return;
  }
  const tag = (value as JsonObject)[discriminator];
  const branch = schema.branches.find((candidate) => {
    const property = schemaOf(candidate).properties[discriminator];
    return property !== undefined && schemaOf(property).enum?.includes(String(tag));
  });
  if (branch === undefined) throw new Error(`${steps.join('.')}: no branch has ${discriminator} ${String(tag)}`);
  walk({ ...(branch as JsonObject), nullable: schema.nullable }, value, steps, report);
}

function walkObject(schema: Schema, value: JsonObject, steps: Steps, report: Report): void {
  for (const name of schema.required) report([...steps, name], 'required', REMOVE);
  if (schema.additional === false) report([...steps, 'no_such_field'], 'additionalProperties', 'x');
  for (const [name, property] of Object.entries(schema.properties)) {
    if (value[name] !== undefined && value[name] !== null) walk(property, value[name], [...steps, name], report);
  }
  if (typeof schema.additional !== 'object') return;
  const { additional } = schema;
  for (const [name, property] of Object.entries(value).slice(0, 1))
    walk(additional, property, [...steps, name], report);
  if (schema.maxProperties === undefined) return;
  const [first] = Object.values(value);
  if (first === undefined) return;
  const tooMany = Array.from({ length: schema.maxProperties + 1 }, (_, index) => [`key${index}`, first] as const);
  report(steps, 'maxProperties', Object.fromEntries(tooMany));
}

function walkArray(schema: Schema, value: Json[], steps: Steps, report: Report): void {
  const [first] = value;
  if ((schema.minItems ?? 0) > 0) report(steps, 'minItems', value.slice(0, (schema.minItems ?? 0) - 1));
  if (first === undefined) return;
  if (schema.maxItems !== undefined) {
    report(
      steps,
      'maxItems',
      Array.from({ length: schema.maxItems + 1 }, () => first),
    );
  }
  walk(schema.items as Json, first, [...steps, 0], report);
}

function wrongTypes(schema: Schema): Json[] {
  const others: Record<string, Json[]> = {
    string: [17, { a: 1 }],
    integer: ['17', 1.5],
    number: ['17'],
    boolean: ['true', 1],
    object: ['text', [1]],
    array: ['text', { 0: 'a' }],
  };
  return [...(others[schema.type ?? ''] ?? []), ...(schema.nullable ? [] : [null])];
}

function wrongStrings(schema: Schema): [Mutation['rule'], string][] {
  const wrong: [Mutation['rule'], string][] = [];
  if (schema.enum !== undefined) return [['enum', 'no_such_value']];
  if (schema.format === 'date-time') return [['format', 'yesterday']];
  if (schema.pattern !== undefined) wrong.push(['pattern', '~'.repeat(schema.minLength ?? 1)]);
  if ((schema.minLength ?? 0) > 0) wrong.push(['minLength', 'A'.repeat((schema.minLength ?? 0) - 1)]);
  if (schema.maxLength !== undefined) wrong.push(['maxLength', 'a'.repeat(schema.maxLength + 1)]);
  if (schema.format === 'ISO8601' && schema.pattern === undefined) wrong.push(['format', 'a while']);
  if (schema.format === 'uri' || schema.format === 'uri-reference') wrong.push(['format', 'not a <uri>']);
  return wrong;
}

/** The body with another value at the steps; what it does not share with the original is copied. */
function replace(body: Json, steps: Steps, value: Json | typeof REMOVE): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return value as Json;
  const copy = (Array.isArray(body) ? [...body] : { ...(body as JsonObject) }) as JsonObject;
  if (rest.length === 0 && value === REMOVE) delete copy[step];
  else copy[step] = replace((copy[step] ?? {}) as Json, rest, value);
  return copy;
}
