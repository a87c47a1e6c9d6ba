/**
 * Errors that reach a client. They carry what the client may know (`detail`) and, as `cause`, what only the log may.
 * Two shapes exist in the contract: form A (request checks, with `invalid_parameters`) and form B (rules of a service,
 * with `extensions`); platform/http/problem.ts writes them.
 */

/**
 * One thing wrong with a request, in the shape of the contract's `invalid_parameters`: a rule that has a bound or choices
 * carries them.
 */
export type InvalidParameter = {
  /** Dotted path in the body ("0.subject"), or the name of the parameter ("page[size]"). */
  field: string;
  /** A sentence that names the rule. */
  reason: string;
  source: 'body' | 'path' | 'query' | 'header';
} & BrokenRule;

/** The rules that the contract's schema allows and that we use, each with what belongs to it. */
export type BrokenRule =
  | { rule: StandardRule }
  | { rule: 'min_length' | 'min_items' | 'min'; minimum: number }
  | { rule: 'max_length' | 'max_items' | 'max'; maximum: number }
  | { rule: 'enum'; choices: readonly unknown[] }
  | { rule: 'dependent_fields'; dependents: readonly string[] };

/** Rules that say all by their name. */
export type StandardRule =
  | 'required'
  | 'type'
  | 'is_object'
  | 'is_date_time'
  | 'is_integer'
  | 'is_label'
  | 'matches_regex'
  | 'unknown_property'
  | 'invalid'
  | 'missing_reference';

/** The kinds of problem and the status that each answers with. */
export const PROBLEM_STATUS = {
  'bad-request': 400,
  unauthenticated: 401,
  unauthorized: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'resource-conflict': 409,
  gone: 410,
  'precondition-failed': 412,
  'content-too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
} as const;
export type ProblemKind = keyof typeof PROBLEM_STATUS;

/** Form A: a problem of the request itself, or one that the API layer answers. */
export class RequestProblem extends Error {
  readonly kind: ProblemKind;
  readonly invalidParameters: readonly InvalidParameter[];
  /** When to try again, where that helps. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: ProblemKind,
    detail: string,
    invalidParameters: readonly InvalidParameter[] = [],
    options: { retryAfterSeconds?: number } = {},
  ) {
    super(detail);
    this.kind = kind;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.invalidParameters = invalidParameters;
  }
}

/** The client has gone before its request was whole. Nobody reads an answer, and nothing is wrong here. */
export class ClientGone extends Error {}

/** One violated rule in form B's `extensions.validationErrors`. */
export interface ValidationError {
  code: string;
  field?: string;
  message: string;
  severity: 'critical' | 'warning';
  attributes?: Record<string, unknown>;
}

/** Form B: a rule of the domain that the request breaks. Each module declares its codes in its errors.ts. */
export class DomainProblem extends Error {
  readonly kind: ProblemKind;
  readonly extensions: Record<string, unknown> | undefined;

  constructor(kind: ProblemKind, detail: string, extensions?: Record<string, unknown>) {
    super(detail);
    this.kind = kind;
    this.extensions = extensions;
  }
}

/** Form B with the violated rules listed: what the contract answers for rules that carry a code. */
export function validationProblem(
  kind: ProblemKind,
  errors: readonly [ValidationError, ...ValidationError[]],
): DomainProblem {
  return new DomainProblem(kind, errors.map((error) => error.message).join('; '), { validationErrors: errors });
}

/** A 400 that names one field and the rule it breaks. */
export function invalidParameter(parameter: InvalidParameter): RequestProblem {
  return new RequestProblem('bad-request', `${parameter.field}: ${parameter.reason}`, [parameter]);
}

/** A 404 for a resource that does not exist. */
export function notFound(what: string, id: string): RequestProblem {
  return new RequestProblem('not-found', `${what} not found: ${id}`);
}
