import type { z } from '@hono/zod-openapi';
import { type InvalidParameter, type InvalidRule, RequestProblem } from '../errors.ts';

/** Issues must carry what was given, to tell a missing value from a wrong one. */
export const REPORT = { reportInput: true };

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
  throw new RequestProblem('bad-request', summarize(parameters), parameters);
}

/** One line for people: the first wrong field and how many more there are. */
export function summarize(parameters: readonly InvalidParameter[]): string {
  const [first] = parameters;
  if (first === undefined) return 'The request is not valid.';
  const more = parameters.length > 1 ? ` (and ${parameters.length - 1} more)` : '';
  return `${first.field}: ${first.reason}${more}`;
}

/** @param prefix path of the checked value inside the body, for example the index of an event in its batch */
export function invalidParameters(
  error: z.core.$ZodError,
  source: InvalidParameter['source'],
  prefix: readonly PropertyKey[] = [],
): InvalidParameter[] {
  return error.issues.flatMap((issue) => fromIssue(issue, source, prefix));
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
      return issue.keys.map((key) => ({
        field: [...path, key].map(String).join('.'),
        rule: 'unknown_property',
        reason: 'unknown property',
        source,
      }));
    case 'invalid_type':
      return [{ field, ...typeRule(issue), source }];
    case 'invalid_value':
      return [
        { field, rule: 'enum', reason: `must be one of: ${issue.values.join(', ')}`, choices: issue.values, source },
      ];
    case 'too_small':
      return [{ field, ...sizeRule('min', issue.origin, Number(issue.minimum)), source }];
    case 'too_big':
      return [{ field, ...sizeRule('max', issue.origin, Number(issue.maximum)), source }];
    case 'invalid_format':
      return [{ field, rule: 'matches_regex', reason: formatReason(issue), source }];
    case 'invalid_union':
      return closestBranch(issue, source, path) ?? [{ field, rule: 'invalid', reason: issue.message, source }];
    case 'custom':
      return [{ field, rule: customRule(issue), reason: issue.message, source }];
    default:
      return [{ field, rule: 'invalid', reason: issue.message, source }];
  }
}

function typeRule(issue: z.core.$ZodIssueInvalidType): { rule: InvalidRule; reason: string } {
  if (issue.input === undefined) return { rule: 'required', reason: 'is required' };
  return { rule: 'type', reason: `must be ${article(issue.expected)}` };
}

function sizeRule(
  side: 'min' | 'max',
  origin: string,
  limit: number,
): { rule: InvalidRule; reason: string; minimum?: number; maximum?: number } {
  const bound = side === 'min' ? { minimum: limit } : { maximum: limit };
  const words = side === 'min' ? 'at least' : 'at most';
  if (origin === 'string')
    return { rule: `${side}_length`, reason: `must have ${words} ${limit} characters`, ...bound };
  if (origin === 'array') return { rule: `${side}_items`, reason: `must have ${words} ${limit} items`, ...bound };
  return { rule: side, reason: `must be ${words} ${limit}`, ...bound };
}

function formatReason(issue: z.core.$ZodIssueInvalidStringFormat): string {
  // A schema's own text says more than the pattern does.
  const standard = issue.message.startsWith('Invalid');
  return standard && issue.pattern !== undefined ? `must match ${issue.pattern}` : issue.message;
}

function customRule(issue: z.core.$ZodIssueCustom): InvalidRule {
  const rule: unknown = issue.params?.['rule'];
  return typeof rule === 'string' ? (rule as InvalidRule) : 'invalid';
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
