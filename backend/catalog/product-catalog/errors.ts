import {
  type DomainProblem,
  type ProblemKind,
  RequestProblem,
  type ValidationError,
  validationProblem,
} from '../../platform/errors.ts';
import type { CatalogIssue } from './types.ts';

/** A request is refused with at most this many issues: more help nobody. */
const MAX_ISSUES = 100;

/** 400 (or another kind) that lists the issues. @param issues at least one */
export function issuesProblem(issues: readonly CatalogIssue[], kind: ProblemKind = 'bad-request'): DomainProblem {
  const [first, ...others] = issues.slice(0, MAX_ISSUES).map((issue): ValidationError => ({ ...issue }));
  if (first === undefined) throw new Error('there is no issue');
  return validationProblem(kind, [first, ...others]);
}

/** 410: the version was deleted. @param deletedAt RFC 3339 text */
export function versionGone(noun: string, id: string, deletedAt: string): RequestProblem {
  return new RequestProblem('gone', `${noun} ${id} was deleted at ${deletedAt}`);
}
