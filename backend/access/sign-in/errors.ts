import { type DomainProblem, notFound, RequestProblem, validationProblem } from '../../platform/errors.ts';

/** The codes of this module. */
const SIGN_IN_ERRORS = {
  session_needs_access_token: 'a session is begun with an access token, not with another session',
} as const;

export function sessionNotFound(id: string): RequestProblem {
  return notFound('session', id);
}

/** 401: its holder is told that there was one. */
export function sessionEnded(): RequestProblem {
  return new RequestProblem('unauthenticated', 'The session has ended. Sign in again.');
}

/** 409: a session would otherwise prolong itself for ever. */
export function sessionNeedsToken(): DomainProblem {
  const code = 'session_needs_access_token';
  return validationProblem('resource-conflict', [{ code, message: SIGN_IN_ERRORS[code], severity: 'critical' }]);
}
