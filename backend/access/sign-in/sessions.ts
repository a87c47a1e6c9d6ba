import { createHash, randomBytes } from 'node:crypto';
import { sessionsLock } from '../../platform/db/locks.ts';
import type { Caller } from '../../platform/http/env.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Role } from '../../platform/http/roles.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { AccessTokens } from '../access-tokens/index.ts';
import { sessionEnded, sessionNotFound } from './errors.ts';
import { type SessionRow, sessionRepository } from './repository.ts';
import type { Session, SessionPage, SignInMethod } from './schema.ts';

/** Browsers of one person, or of all who share a token. The oldest goes when there would be more. */
const MAX_SESSIONS_OF_ONE = 100;
const MAX_USER_AGENT_LENGTH = 256;

/** Who signs in. */
export interface Owner {
  method: SignInMethod;
  id: string;
  name: string;
  role: Role;
  /** When the owner's right ends by itself. */
  expiresAtMs?: number | undefined;
}

/** From where. */
export interface Client {
  address: string | undefined;
  userAgent: string | undefined;
}

export interface Sessions {
  /** @returns the session, and what the browser keeps: told this once, only its hash is stored */
  begin(owner: Owner, client: Client): Promise<{ session: Session; secret: string }>;
  /**
   * The caller that the browser's secret stands for.
   * @returns undefined when there never was such a session, or it is forgotten
   * @throws RequestProblem 401 when it has ended
   */
  find(secret: string): Promise<{ session: Session; caller: Caller } | undefined>;
  /** Open ones, the newest first. */
  list(page: PageRequest): Promise<SessionPage>;
  /** @throws RequestProblem 404 when it is not open */
  get(id: string): Promise<Session>;
  /** The session has ended when this returns. @throws RequestProblem 404 when it is not open */
  end(id: string): Promise<void>;
  /** All sessions of one owner have ended when this returns. @returns how many were open */
  endAllOf(ownerId: string): Promise<number>;
}

export function createSessions(deps: {
  scope: Scope;
  tokens: Pick<AccessTokens, 'current' | 'use'>;
  lifetimeMs: number;
  /** Whether people sign in over OpenID Connect: where that was turned off, nobody may say who they are. */
  hasProvider: boolean;
}): Sessions {
  const { scope, tokens, lifetimeMs, hasProvider } = deps;
  const repository = sessionRepository(scope);
  /** Whose token was revoked, or has gone from the configuration, is signed out; until somebody looks nobody has noticed. */
  const endOfGoneTokens = async () => {
    for (const tokenId of await repository.tokensOfOpen(scope.clock.nowMs())) {
      if ((await tokens.current(tokenId)) === undefined) await repository.endOfOwner(tokenId, scope.clock.nowMs());
    }
  };
  const get = async (id: string): Promise<SessionRow> => {
    const row = await repository.openById(id, scope.clock.nowMs());
    if (row === undefined) throw sessionNotFound(id);
    return row;
  };
  return {
    begin: async (owner, client) => {
      const secret = randomBytes(32).toString('base64url');
      const nowMs = scope.clock.nowMs();
      const row: SessionRow = {
        id: scope.newId(),
        secret_hash: hashOf(secret),
        method: owner.method,
        owner_id: owner.id,
        owner_name: owner.name,
        role: owner.role,
        client_address: client.address ?? null,
        user_agent: client.userAgent?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
        created_at: toStoredInstant(nowMs),
        expires_at: toStoredInstant(Math.min(nowMs + lifetimeMs, owner.expiresAtMs ?? Number.POSITIVE_INFINITY)),
        ended_at: null,
      };
      await scope.transaction(
        async (scope) => {
          const own = sessionRepository(scope);
          await own.insert(row);
          await own.prune(owner.id, MAX_SESSIONS_OF_ONE, nowMs);
        },
        [sessionsLock(owner.id)],
      );
      return { session: toSession(row), secret };
    },
    find: async (secret) => {
      const row = await repository.bySecretHash(hashOf(secret));
      if (row === undefined) return undefined;
      if (row.ended_at !== null || row.expires_at <= toStoredInstant(scope.clock.nowMs())) throw sessionEnded();
      if (row.method === 'oidc') {
        if (!hasProvider) throw sessionEnded();
        return { session: toSession(row), caller: callerOf(row) };
      }
      const token = await tokens.use(row.owner_id);
      if (token === undefined) {
        await repository.endOfOwner(row.owner_id, scope.clock.nowMs());
        throw sessionEnded();
      }
      return { session: toSession(row), caller: { ...token.caller, sessionId: row.id } };
    },
    list: async (page) => {
      await endOfGoneTokens();
      const { rows, total } = await repository.openPage(scope.clock.nowMs(), page);
      return { data: rows.map(toSession), meta: pageMeta(page, total) };
    },
    get: async (id) => toSession(await get(id)),
    end: async (id) => {
      if (!(await repository.endById(id, scope.clock.nowMs()))) throw sessionNotFound(id);
    },
    endAllOf: (ownerId) => repository.endOfOwner(ownerId, scope.clock.nowMs()),
  };
}

/** A secret has 256 random bits, so no slower hash is needed, and nobody can aim at one by the time of an answer. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function callerOf(row: SessionRow): Caller {
  return { tokenId: row.owner_id, tokenName: row.owner_name, role: row.role, sessionId: row.id };
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    method: row.method,
    actor_id: row.owner_id,
    name: row.owner_name,
    role: row.role,
    created_at: fromStoredInstant(row.created_at),
    expires_at: fromStoredInstant(row.expires_at),
    ...(row.client_address !== null && { client_address: row.client_address }),
    ...(row.user_agent !== null && { user_agent: row.user_agent }),
  };
}
