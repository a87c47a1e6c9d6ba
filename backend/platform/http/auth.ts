import type { MiddlewareHandler } from 'hono';
import { RequestProblem } from '../errors.ts';
import type { AppEnv, Caller, Role } from './env.ts';

/** Finds the caller that a bearer token belongs to; undefined when there is none. */
export type VerifyToken = (token: string) => Promise<Caller | undefined>;

/** What a route asks of its caller; 'any' is granted to every valid token. */
export type Access = 'read' | 'write' | 'ingest' | 'any';

const GRANTS: Record<Role, readonly Access[]> = {
  admin: ['read', 'write', 'ingest', 'any'],
  viewer: ['read', 'any'],
  ingest: ['ingest', 'any'],
};

/** What a role includes, for those who show or hide what it may do. */
export function grantsOf(role: Role): Access[] {
  return GRANTS[role].filter((access) => access !== 'any');
}

/** 401 without a valid bearer token, 403 when its role does not include what the route needs. */
export function requireAccess(access: Access, verify: VerifyToken): MiddlewareHandler<AppEnv> {
  return async function requireAccess(c, next) {
    const header = c.req.header('authorization');
    const token = header === undefined ? undefined : /^Bearer +([^ ]+) *$/i.exec(header)?.[1];
    if (token === undefined) {
      throw new RequestProblem('unauthenticated', 'Send the header "Authorization: Bearer <token>".');
    }
    const caller = await verify(token);
    if (caller === undefined) throw new RequestProblem('unauthenticated', 'The bearer token is not valid.');
    if (!GRANTS[caller.role].includes(access)) {
      throw new RequestProblem('unauthorized', `The token's role "${caller.role}" does not allow this operation.`);
    }
    c.set('caller', caller);
    await next();
  };
}
