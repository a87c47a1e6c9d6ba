import type {
  EntityCheck,
  Field,
  FieldCondition,
  FieldRule,
} from '../../plugin/metering-and-billing/schema-language.ts';

type Values = Readonly<Record<string, unknown>>;

/** What Kong answers to a configuration that it does not accept: one message per field. */
export class SchemaViolation extends Error {
  override readonly name = 'SchemaViolation';
}

/**
 * Does with a configuration what Kong's schema code (`kong/db/schema/init.lua`, 3.9) does: checks it, fills in defaults
 * and leaves out what is unset. Messages are Kong's. Knows the part of the language that our schema uses.
 */
export function applySchema(fields: readonly Field[], given: Values): Record<string, unknown> {
  return applyRecord(fields, [], given, '');
}

function applyRecord(
  fields: readonly Field[],
  checks: readonly EntityCheck[],
  given: Values,
  path: string,
): Record<string, unknown> {
  const rules = new Map(fields.flatMap((field) => Object.entries(field)));
  for (const name of Object.keys(given)) {
    if (!rules.has(name)) throw new SchemaViolation(`${path}${name}: unknown field`);
  }
  const values: Record<string, unknown> = {};
  for (const [name, rule] of rules) {
    const value = applyField(rule, given[name], path + name);
    if (value !== undefined) values[name] = value;
  }
  for (const { conditional } of checks) checkConditional(rules, conditional, values, path);
  return values;
}

/** A missing field gets its default, and a missing record the defaults of its fields if it is required. */
function applyField(rule: FieldRule, given: unknown, path: string): unknown {
  const value = given ?? rule.default ?? (rule.type === 'record' && rule.required === true ? {} : undefined);
  if (value === undefined) {
    if (rule.required === true) throw new SchemaViolation(`${path}: required field missing`);
    return undefined;
  }
  const violation = violationOf(rule, value);
  if (violation !== undefined) throw new SchemaViolation(`${path}: ${violation}`);
  if (rule.type === 'record')
    return applyRecord(rule.fields ?? [], rule.entity_checks ?? [], value as Values, `${path}.`);
  if (rule.type !== 'array') return value;
  const element = { ...(rule.elements ?? { type: 'string' as const }), required: true };
  return (value as unknown[]).map((item, index) => applyField(element, item, `${path}.${index + 1}`));
}

const IS_OF_TYPE: Readonly<Record<FieldRule['type'], (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: (value) => Array.isArray(value),
  map: (value) => typeof value === 'object' && !Array.isArray(value),
  record: (value) => typeof value === 'object' && !Array.isArray(value),
};

function violationOf(rule: FieldRule & FieldCondition, value: unknown): string | undefined {
  const article = rule.type === 'integer' || rule.type === 'array' ? 'an' : 'a';
  if (!IS_OF_TYPE[rule.type](value)) return `expected ${article} ${rule.type}`;
  if (rule.referenceable === true && /^\{vault:\/\/.+\}$/.test(String(value))) return undefined;
  const failed = failedCheck(rule, value);
  return failed === undefined ? undefined : (rule.err ?? failed);
}

function failedCheck(rule: FieldRule & FieldCondition, value: unknown): string | undefined {
  if (rule.eq !== undefined && value !== rule.eq) return `value must be ${rule.eq}`;
  if (rule.one_of !== undefined && !rule.one_of.some((option) => option === value)) {
    return `expected one of: ${rule.one_of.join(', ')}`;
  }
  if (typeof value === 'number' && rule.between !== undefined) {
    const [least, most] = rule.between;
    if (value < least || value > most) return `value should be between ${Math.floor(least)} and ${Math.floor(most)}`;
  }
  if (typeof value !== 'string') return undefined;
  // Kong accepts no empty strings unless a field says so.
  const leastLength = rule.len_min ?? 1;
  if (value.length < leastLength) return `length must be at least ${leastLength}`;
  if (rule.match !== undefined && !luaPattern(rule.match).test(value)) return `invalid value: ${value}`;
  if (rule.match_any !== undefined && !rule.match_any.patterns.some((pattern) => luaPattern(pattern).test(value))) {
    return rule.match_any.err;
  }
  return undefined;
}

function checkConditional(
  rules: ReadonlyMap<string, FieldRule>,
  check: EntityCheck['conditional'],
  values: Values,
  path: string,
): void {
  const ifRule = ruleOf(rules, check.if_field);
  const thenRule = ruleOf(rules, check.then_field);
  const ifValue = values[check.if_field];
  const thenValue = values[check.then_field];
  if (ifValue === undefined || violationOf({ ...ifRule, ...check.if_match }, ifValue) !== undefined) return;
  if (thenValue === undefined) {
    if (check.then_match.required === true) {
      throw new SchemaViolation(`${path}${check.then_field}: required field missing`);
    }
    return;
  }
  const violation = violationOf({ ...thenRule, ...check.then_match }, thenValue);
  if (violation !== undefined) throw new SchemaViolation(`${path}${check.then_field}: ${check.then_err ?? violation}`);
}

function ruleOf(rules: ReadonlyMap<string, FieldRule>, name: string): FieldRule {
  const rule = rules.get(name);
  if (rule === undefined) throw new Error(`a check names the field ${name}, which the record does not have`);
  return rule;
}

/** The patterns of Lua that our schema uses, as regular expressions. */
function luaPattern(pattern: string): RegExp {
  return new RegExp(pattern.replace(/%([a-zA-Z])/g, '\\$1').replace(/%(\W)/g, '\\$1'));
}
