import type { z } from '@hono/zod-openapi';
import { type BrokenRule, type InvalidParameter, RequestProblem } from '../errors.ts';

/** Issues must carry what was given, to tell a missing value from a wrong one. */
export const REPORT = { reportInput: true };

/** An answer names so many wrong fields and counts the others: more help nobody, and would outgrow the request. */
export const MAX_REFUSALS = 100;

type Issue = z.core.$ZodIssue;

/**
 * Checks a value against a schema.
 * @throws RequestProblem 400 that names each wrong field and its rule.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: InvalidParameter['source'],
): z.output<Schema> {
  const result = schema.safeParse(value, REPORT);
  if (result.success) return result.data;
  const parameters = invalidParameters(result.error, source);
  throw new RequestProblem('bad-request', summarize(parameters, countRefusals(result.error)), parameters);
}

/** One line for people: the first wrong field and how many more there are. */
export function summarize(parameters: readonly InvalidParameter[], count = parameters.length): string {
  const [first] = parameters;
  if (first === undefined) return 'The request is not valid.';
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  return `${first.field}: ${first.reason}${more}`;
}

/** How many wrong fields there are, listed or not. */
function countRefusals(error: z.core.$ZodError): number {
  return error.issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

/** The first of them. @param prefix path of the checked value inside the body, for example the index of an event in its batch */
export function invalidParameters(
  error: z.core.$ZodError,
  source: InvalidParameter['source'],
  prefix: readonly PropertyKey[] = [],
): InvalidParameter[] {
  const issues = error.issues.slice(0, MAX_REFUSALS);
  return issues.flatMap((issue) => fromIssue(issue, source, prefix)).slice(0, MAX_REFUSALS);
}

function fromIssue(
  issue: Issue,
  source: InvalidParameter['source'],
  prefix: readonly PropertyKey[],
): InvalidParameter[] {
  const path = [...prefix, ...issue.path];
  const field = path.length === 0 ? source : path.map(String).join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, MAX_REFUSALS).map((key) => ({
        field: [...path, key].map(String).join('.'),
        rule: 'unknown_property',
        reason: 'unknown property',
        source,
      }));
    case 'invalid_type':
      return [{ field, ...typeRule(issue), source }];
    case 'invalid_value':
      return [{ field, ...choiceRule(issue.input, issue.values), source }];
    case 'too_small':
      return [{ field, ...lowerBound(issue.origin, Number(issue.minimum)), source }];
    case 'too_big':
      return [{ field, ...upperBound(issue.origin, Number(issue.maximum)), source }];
    case 'invalid_format':
      return [{ field, rule: 'matches_regex', reason: formatReason(issue), source }];
    case 'invalid_union':
      return fromUnion(issue, source, path);
    case 'custom':
      return [{ field, ...customRule(issue), reason: issue.message, source }];
    default:
      return [{ field, rule: 'invalid', reason: issue.message, source }];
  }
}

type Broken = BrokenRule & { reason: string };

const MISSING: Broken = { rule: 'required', reason: 'is required' };

function typeRule(issue: z.core.$ZodIssueInvalidType): Broken {
  return issue.input === undefined ? MISSING : wrongType(issue.expected);
}

function wrongType(expected: string): Broken {
  return { rule: 'type', reason: `must be ${expected === 'int' ? 'a whole number' : article(expected)}` };
}

/** What is given in place of one of a few values: nothing, something of another type, or another value. */
function choiceRule(given: unknown, choices: readonly unknown[]): Broken {
  if (given === undefined) return MISSING;
  const type = typeof choices[0];
  if (choices.every((choice) => typeof choice === type) && typeof given !== type) return wrongType(type);
  return { rule: 'enum', reason: `must be one of: ${choices.join(', ')}`, choices };
}

function lowerBound(origin: string, minimum: number): Broken {
  if (origin === 'string') return { rule: 'min_length', reason: atLeast(minimum, 'characters'), minimum };
  if (origin === 'array') return { rule: 'min_items', reason: atLeast(minimum, 'items'), minimum };
  return { rule: 'min', reason: `must be at least ${minimum}`, minimum };
}

function atLeast(minimum: number, parts: string): string {
  return minimum === 1 ? 'must not be empty' : `must have at least ${minimum} ${parts}`;
}

/** @param origin `string`, `array`, or of numbers any other */
export function upperBound(origin: string, maximum: number): Broken {
  if (origin === 'string') return { rule: 'max_length', reason: `must have at most ${maximum} characters`, maximum };
  if (origin === 'array') return { rule: 'max_items', reason: `must have at most ${maximum} items`, maximum };
  return { rule: 'max', reason: `must be at most ${maximum}`, maximum };
}

function formatReason(issue: z.core.$ZodIssueInvalidStringFormat): string {
  // A schema's own text says more than the pattern does.
  const standard = issue.message.startsWith('Invalid');
  return standard && issue.pattern !== undefined ? `must match ${issue.pattern}` : issue.message;
}

/** What a refinement of ours names in its `params`. */
function customRule(issue: z.core.$ZodIssueCustom): BrokenRule {
  const broken = issue.params as BrokenRule | undefined;
  return broken?.rule === undefined ? { rule: 'invalid' } : broken;
}

function fromUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  source: InvalidParameter['source'],
  path: readonly PropertyKey[],
): InvalidParameter[] {
  const field = path.length === 0 ? source : path.map(String).join('.');
  if (issue.input === undefined) return [{ field, ...MISSING, source }];
  const { discriminator } = issue;
  if (discriminator !== undefined && 'options' in issue && issue.options !== undefined) {
    // The issue stands at the field that tells the branches apart, and carries the object around it.
    const given = (issue.input as Record<string, unknown>)[discriminator];
    return [{ field, ...choiceRule(given, issue.options), source }];
  }
  return closestBranch(issue, source, path) ?? [{ field, rule: 'invalid', reason: issue.message, source }];
}

/** Of a union, the branch that got furthest explains best. */
function closestBranch(
  issue: z.core.$ZodIssueInvalidUnion,
  source: InvalidParameter['source'],
  path: readonly PropertyKey[],
): InvalidParameter[] | undefined {
  const branches = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length);
  return branches[0]?.flatMap((inner) => fromIssue(inner, source, path));
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/**
 * Whether a schema takes a number digit by digit somewhere: by a check of its own, as figures do, or as a free value.
 * All others want what a double holds, or no number at all.
 */
export function wantsExactNumbers(schema: z.ZodType, seen: Set<unknown> = new Set()): boolean {
  const { def } = schema as unknown as { def: Record<string, unknown> & { type: string } };
  if (seen.has(def)) return false;
  seen.add(def);
  if (def.type === 'custom' || def.type === 'unknown' || def.type === 'any') return true;
  return childSchemas(def).some((child) => wantsExactNumbers(child as z.ZodType, seen));
}

/** Schemas within a schema: of properties, items, branches, and what is wrapped. */
export function childSchemas(def: Record<string, unknown>): unknown[] {
  const { shape, options, getter } = def;
  const isSchema = (value: unknown) => typeof value === 'object' && value !== null && 'def' in value;
  const single = Object.values(def).filter(isSchema);
  const lazy = typeof getter === 'function' ? [getter()] : [];
  const listed = Array.isArray(options) ? options : [];
  return [...single, ...lazy, ...listed, ...(typeof shape === 'object' && shape !== null ? Object.values(shape) : [])];
}
