import type { Context, MiddlewareHandler } from 'hono';
import { RequestProblem } from '../errors.ts';
import type { CallerLimits } from './caller-limits.ts';
import { clientAddress } from './client-address.ts';
import type { AppEnv, Caller } from './env.ts';
import { type Access, includes, ROLE_MEANINGS } from './roles.ts';

/** Finds the caller that a bearer token belongs to; undefined when there is none, or none any more. */
export type VerifyToken = (token: string) => Promise<Caller | undefined>;

interface AccessOptions {
  limits?: CallerLimits | undefined;
  /** Is told of a caller whose role does not suffice, before the answer. */
  onRefused?: ((c: Context<AppEnv>, caller: Caller) => Promise<void>) | undefined;
}

/**
 * 401 without a valid bearer token, 403 when its role does not include what the route needs, 429 for too many wrong
 * tokens or requests.
 */
export function requireAccess(
  access: Access,
  verify: VerifyToken,
  { limits, onRefused }: AccessOptions = {},
): MiddlewareHandler<AppEnv> {
  return async function requireAccess(c, next) {
    const header = c.req.header('authorization');
    const token = header === undefined ? undefined : /^Bearer +([^ ]+) *$/i.exec(header)?.[1];
    if (token === undefined) {
      throw new RequestProblem('unauthenticated', 'Send the header "Authorization: Bearer <token>".');
    }
    const caller = await verify(token);
    if (caller === undefined) {
      limits?.wrongToken(clientAddress(c));
      throw new RequestProblem('unauthenticated', 'The bearer token is not valid.');
    }
    limits?.admit(caller.tokenId);
    if (!includes(caller.role, access)) {
      await onRefused?.(c, caller);
      const { title } = ROLE_MEANINGS[caller.role];
      throw new RequestProblem('unauthorized', `The token's role, ${title} (${caller.role}), does not allow this.`);
    }
    c.set('caller', caller);
    await next();
  };
}
