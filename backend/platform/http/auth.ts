import type { Context, MiddlewareHandler } from 'hono';
import { RequestProblem } from '../errors.ts';
import type { CallerLimits } from './caller-limits.ts';
import { clientAddress } from './client-address.ts';
import type { AppEnv, Caller } from './env.ts';
import { type Access, includes, ROLE_MEANINGS } from './roles.ts';

/** Finds the caller that a bearer token belongs to; undefined when there is none, or none any more. */
export type VerifyToken = (token: string) => Promise<Caller | undefined>;

/** Finds the caller that a browser's session belongs to. */
export interface SessionCallers {
  /** What the session cookie holds; undefined without one. */
  given(c: Context<AppEnv>): string | undefined;
  /**
   * @returns undefined when there has never been such a session
   * @throws RequestProblem 401 when it is over, 403 when another site has the browser send a change
   */
  verify(c: Context<AppEnv>, given: string): Promise<Caller | undefined>;
}

interface AccessOptions {
  /** Without it only tokens are taken. A token that is sent goes before a session. */
  sessions?: SessionCallers | undefined;
  limits?: CallerLimits | undefined;
  /** Is told of a caller whose role does not suffice, before the answer. */
  onRefused?: ((c: Context<AppEnv>, caller: Caller) => Promise<void>) | undefined;
}

/**
 * 401 without a valid bearer token or session, 403 when its role does not include what the route needs, 429 for too many wrong
 * tokens or requests.
 */
export function requireAccess(
  access: Access,
  verify: VerifyToken,
  { sessions, limits, onRefused }: AccessOptions = {},
): MiddlewareHandler<AppEnv> {
  return async function requireAccess(c, next) {
    const header = c.req.header('authorization');
    const caller = header === undefined ? await callerOfSession(c, sessions) : await callerOfToken(header, verify);
    if (caller === undefined) {
      limits?.wrongToken(clientAddress(c));
      const what = header === undefined ? 'session' : 'bearer token';
      throw new RequestProblem('unauthenticated', `The ${what} is not valid.`);
    }
    limits?.admit(caller.tokenId);
    if (!includes(caller.role, access)) {
      await onRefused?.(c, caller);
      const { title } = ROLE_MEANINGS[caller.role];
      const whose = caller.sessionId === undefined ? "The token's" : 'Your';
      throw new RequestProblem('unauthorized', `${whose} role, ${title} (${caller.role}), does not allow this.`);
    }
    c.set('caller', caller);
    await next();
  };
}

async function callerOfToken(header: string, verify: VerifyToken): Promise<Caller | undefined> {
  const token = /^Bearer +([^ ]+) *$/i.exec(header)?.[1];
  if (token === undefined) throw nothingGiven();
  return verify(token);
}

async function callerOfSession(c: Context<AppEnv>, sessions: SessionCallers | undefined): Promise<Caller | undefined> {
  const given = sessions?.given(c);
  if (sessions === undefined || given === undefined) throw nothingGiven();
  return sessions.verify(c, given);
}

function nothingGiven(): RequestProblem {
  return new RequestProblem('unauthenticated', 'Send the header "Authorization: Bearer <token>".');
}
