import type { Context } from 'hono';
import { RequestProblem } from '../../platform/errors.ts';
import type { CallerLimits } from '../../platform/http/caller-limits.ts';
import type { ChangeRecorder } from '../../platform/http/changes.ts';
import { clientAddress } from '../../platform/http/client-address.ts';
import type { AppEnv, Caller } from '../../platform/http/env.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { ROLE_MEANINGS } from '../../platform/http/roles.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AccessTokens } from '../access-tokens/index.ts';
import type { OwnCookie } from './cookies.ts';
import { sessionEnded, sessionNeedsToken, sessionNotFound } from './errors.ts';
import {
  endedSessionsSchema,
  type OwnSession,
  ownSessionSchema,
  type Session,
  type SignInState,
  sessionPageSchema,
  sessionSchema,
  signInStateSchema,
} from './schema.ts';
import type { Client, Sessions } from './sessions.ts';

export const SIGN_IN_TAG = 'Sign-in';

export interface SignInParts {
  scope: Scope;
  tokens: AccessTokens;
  sessions: Sessions;
  cookie: OwnCookie;
  recorder: ChangeRecorder;
  limits: CallerLimits;
  /** Ways to sign in besides an access token. */
  providers: SignInState['methods'];
}

/** Registers sessions. Our own addition to the contract. */
export function sessionRoutes(router: Router, parts: SignInParts): void {
  stateRoute(router, parts);
  beginRoute(router, parts);
  ownSessionRoutes(router, parts);
  const { sessions } = parts;
  resourceRoutes(router, {
    kind: 'session',
    name: 'session',
    path: '/sessions/{sessionId}',
    tag: SIGN_IN_TAG,
    schema: sessionSchema,
    list: {
      description: 'Open ones, the newest first.',
      answer: 'A page of sessions.',
      access: 'administer',
      page: sessionPageSchema,
      query: queryOf({ page: numberedPage() }),
      run: (query) => sessions.list(query.page),
    },
    get: { answer: 'The session, while it is open.', access: 'administer', run: sessions.get },
    remove: {
      verb: 'end',
      description: 'Whoever has it is signed out at once.',
      answer: 'Ended.',
      access: 'administer',
      run: sessions.end,
    },
  });
}

/** What a sign-in page needs to know before anybody has signed in. */
function stateRoute(router: Router, { sessions, cookie, providers }: SignInParts): void {
  router.endpoint(
    {
      method: 'get',
      path: '/sign-in',
      operationId: 'get-sign-in',
      tag: SIGN_IN_TAG,
      summary: 'Get own session and ways to sign in',
      description: 'Needs no token: it tells a browser whether its session is still open, and how one can sign in.',
      access: 'public',
      responses: { 200: jsonResponse('The ways to sign in, and the session.', signInStateSchema) },
    },
    async ({ c, answer }) => {
      const secret = cookie.read(c);
      const found = secret === undefined ? undefined : await sessions.find(secret).catch(ignoreUnauthenticated);
      const isOver = secret !== undefined && found === undefined;
      if (isOver) cookie.clear(c);
      const state: SignInState = {
        methods: [{ method: 'access_token' }, ...providers],
        ...(found && { session: toOwnSession(found.session, found.caller) }),
        ...(isOver && { session_ended: true }),
      };
      return answer(state);
    },
  );
}

function ignoreUnauthenticated(error: unknown): undefined {
  if (error instanceof RequestProblem && error.kind === 'unauthenticated') return undefined;
  throw error;
}

function beginRoute(router: Router, { scope, tokens, sessions, cookie }: SignInParts): void {
  router.endpoint(
    {
      method: 'post',
      path: '/sessions',
      operationId: 'create-session',
      tag: SIGN_IN_TAG,
      summary: 'Begin a session',
      description:
        'Exchanges the access token of `Authorization` for a session, whose cookie the browser keeps for all its tabs ' +
        'and shows to no script. It may do what the token may, and ends with it at the latest.',
      access: 'any',
      recorded: true,
      responses: { 201: jsonResponse('The session. Its cookie is set.', ownSessionSchema) },
    },
    async ({ c, answer }) => {
      const caller = callerOf(c);
      if (caller.sessionId !== undefined) throw sessionNeedsToken();
      // A token that was revoked in this moment begins nothing.
      const token = await tokens.current(caller.tokenId);
      if (token === undefined) throw sessionEnded();
      const { session, secret } = await sessions.begin(
        {
          method: 'access_token',
          id: caller.tokenId,
          name: caller.tokenName,
          role: caller.role,
          expiresAtMs: token.expiresAtMs,
        },
        clientOf(c),
      );
      giveCookie(c, cookie, { session, secret }, scope.clock.nowMs());
      return answer(toOwnSession(session, caller), 201);
    },
  );
}

/** Signing out: here, and everywhere. */
function ownSessionRoutes(router: Router, { sessions, cookie }: SignInParts): void {
  router.endpoint(
    {
      method: 'delete',
      path: '/sessions/self',
      operationId: 'sign-out',
      tag: SIGN_IN_TAG,
      summary: 'Sign out',
      description: 'Ends the session that the request carries, in all tabs of the browser.',
      access: 'any',
      recorded: true,
      changes: { type: 'sessions' },
      responses: { 204: { description: 'Signed out. The cookie is taken back.' } },
    },
    async ({ c }) => {
      const { sessionId } = callerOf(c);
      if (sessionId === undefined) throw sessionNotFound('self');
      await sessions.end(sessionId);
      cookie.clear(c);
      return c.body(null, 204);
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/sessions/sign-out-everywhere',
      operationId: 'sign-out-everywhere',
      tag: SIGN_IN_TAG,
      summary: 'Sign out everywhere',
      description:
        'Ends all sessions of whoever asks: of the person, or those that were begun with the access token. The access ' +
        'token itself goes on working until it is revoked.',
      access: 'any',
      recorded: true,
      changes: { type: 'sessions' },
      responses: { 200: jsonResponse('How many sessions have ended.', endedSessionsSchema) },
    },
    async ({ c, answer }) => {
      const ended = await sessions.endAllOf(callerOf(c).tokenId);
      cookie.clear(c);
      return answer({ ended });
    },
  );
}

function callerOf(c: Context<AppEnv>): Caller {
  const caller = c.get('caller');
  if (caller === undefined) throw new Error('a route that needs a caller was reached without one');
  return caller;
}

export function clientOf(c: Context<AppEnv>): Client {
  return { address: clientAddress(c), userAgent: c.req.header('user-agent') };
}

/** The browser forgets the cookie when the session ends. */
export function giveCookie(
  c: Context<AppEnv>,
  cookie: OwnCookie,
  { session, secret }: { session: Session; secret: string },
  nowMs: number,
): void {
  const expiresAtMs = parseInstant(session.expires_at) ?? nowMs;
  cookie.set(c, secret, Math.max(1, Math.floor((expiresAtMs - nowMs) / 1000)));
}

function toOwnSession(session: Session, { role }: Caller): OwnSession {
  const { client_address: _address, user_agent: _agent, ...fields } = session;
  const { title, grants } = ROLE_MEANINGS[role];
  return { ...fields, role, role_title: title, grants: [...grants] };
}
