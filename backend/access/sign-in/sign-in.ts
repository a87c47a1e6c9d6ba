import type { SessionCallers } from '../../platform/http/auth.ts';
import type { CallerLimits } from '../../platform/http/caller-limits.ts';
import type { ChangeRecorder } from '../../platform/http/changes.ts';
import { ownOrigin, requireOwnOrigin } from '../../platform/http/own-origin.ts';
import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AccessTokens } from '../access-tokens/index.ts';
import { ownCookie } from './cookies.ts';
import type { OidcSettings } from './oidc/provider.ts';
import { OIDC_START, oidcRoutes } from './oidc/routes.ts';
import { sessionRoutes } from './routes.ts';
import { createSessions } from './sessions.ts';

/** Where the routes are mounted: for addresses that the provider and the browser are given. */
const BASE_PATH = '/v3/openmeter';
const SESSION_COOKIE = 'metering-session';
/** A working day and its evening: who comes back the next morning signs in again. */
const DEFAULT_SESSION_HOURS = 12;
const HOUR_MS = 3_600_000;

export interface SignInSettings {
  /** This server as browsers reach it; undefined: as each request says. */
  publicUrl?: string | undefined;
  /** How long a session lasts; default 12. */
  sessionHours?: number | undefined;
  /** A provider of OpenID Connect; it takes a public URL, which it sends browsers back to. */
  oidc?: OidcSettings | undefined;
}

/** Signing in with a browser: sessions in place of tokens that scripts would have to keep. */
export interface SignIn {
  /** For routers: whose session a request carries. */
  callers: SessionCallers;
  routes(router: Router, parts: { recorder: ChangeRecorder; limits: CallerLimits }): void;
}

export function createSignIn(deps: {
  scope: Scope;
  tokens: AccessTokens;
  settings?: SignInSettings | undefined;
}): SignIn {
  const { settings = {}, ...rest } = deps;
  const { publicUrl, oidc, sessionHours = DEFAULT_SESSION_HOURS } = settings;
  const sessions = createSessions({
    ...rest,
    lifetimeMs: sessionHours * HOUR_MS,
    hasProvider: oidc !== undefined,
  });
  const cookie = ownCookie(SESSION_COOKIE, 'Strict', publicUrl);
  return {
    callers: {
      given: cookie.read,
      verify: async (c, secret) => {
        // Reading changes nothing, and no other site can see the answer.
        if (!['GET', 'HEAD'].includes(c.req.method)) requireOwnOrigin(c, ownOrigin(c, publicUrl));
        return (await sessions.find(secret))?.caller;
      },
    },
    routes: (router, recording) => {
      const start = { method: 'oidc', start_path: `${BASE_PATH}${OIDC_START}` } as const;
      const providers = oidc === undefined ? [] : [{ ...start, name: oidc.name }];
      const parts = { ...deps, ...recording, sessions, cookie, providers };
      sessionRoutes(router, parts);
      if (oidc === undefined) return;
      if (publicUrl === undefined) throw new Error('OpenID Connect takes a public URL');
      oidcRoutes(router, { ...parts, settings: oidc, publicUrl, basePath: BASE_PATH });
    },
  };
}
