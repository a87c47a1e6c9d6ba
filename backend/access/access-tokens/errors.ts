import {
  type DomainProblem,
  invalidParameter,
  notFound,
  RequestProblem,
  validationProblem,
} from '../../platform/errors.ts';

/** The codes of this module. */
const ACCESS_TOKEN_ERRORS = {
  access_token_configured: 'is set by the configuration: remove it there and restart the server',
  last_admin_access_token:
    'is the last token without an expiry that can administer; create another one with the role admin first, or nobody could make tokens any more',
  too_many_access_tokens: 'there are as many access tokens as there may be; revoke some first',
} as const;

export function accessTokenNotFound(id: string): RequestProblem {
  return notFound('access token', id);
}

/** 409: the token has to stay. @param name of the token */
export function accessTokenFixed(
  code: 'access_token_configured' | 'last_admin_access_token',
  name: string,
): DomainProblem {
  const message = `access token "${name}" ${ACCESS_TOKEN_ERRORS[code]}`;
  return validationProblem('resource-conflict', [{ code, message, severity: 'critical' }]);
}

/** 409 @param limit how many there may be */
export function tooManyAccessTokens(limit: number): DomainProblem {
  const code = 'too_many_access_tokens';
  const message = `${ACCESS_TOKEN_ERRORS[code]} (${limit})`;
  return validationProblem('resource-conflict', [{ code, message, severity: 'critical', attributes: { limit } }]);
}

/** 400: a token that never worked would be found out too late. */
export function expiryInThePast() {
  return invalidParameter({ field: 'expires_at', rule: 'invalid', reason: 'must be in the future', source: 'body' });
}

/** 401 that tells the holder of a real token what became of it. */
export function accessTokenExpired(name: string, expiredAt: string): RequestProblem {
  return new RequestProblem('unauthenticated', `The access token "${name}" has expired at ${expiredAt}.`);
}
