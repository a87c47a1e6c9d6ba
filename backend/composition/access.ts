import { accessTokenRoutes } from '../access/access-tokens/index.ts';
import { auditLogRoutes, createAuditLog } from '../access/audit-log/index.ts';
import { createSignIn } from '../access/sign-in/index.ts';
import { createCallerLimits } from '../platform/http/caller-limits.ts';
import { createRouter, type Router } from '../platform/http/router.ts';
import type { Parts } from './parts.ts';

/** Who may do what, who did, and how often: what every operation goes through. */
export function createAccess({ scope, tokens, signIn: settings, requestsAMinute }: Parts) {
  const limits = createCallerLimits({ clock: scope.clock, log: scope.log, requestsAMinute });
  const auditLog = createAuditLog(scope);
  const recording = { recorder: auditLog.recorder, limits };
  const signIn = createSignIn({ scope, tokens, settings });
  return {
    auditLog,
    limits,
    /** For people and programs. */
    router: () => createRouter(tokens.verify, { ...recording, sessions: signIn.callers }),
    /** For programs alone: a session of the console opens nothing. */
    tokenRouter: () => createRouter(tokens.verify, recording),
    routes: (router: Router): void => {
      accessTokenRoutes(router, tokens);
      signIn.routes(router, recording);
      auditLogRoutes(router, auditLog);
    },
  };
}
