import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { ACCESS_TOKENS } from '../../platform/db/locks.ts';
import type { Caller } from '../../platform/http/env.ts';
import { formatInstant, parseInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import {
  accessTokenExpired,
  accessTokenFixed,
  accessTokenNotFound,
  expiryInThePast,
  tooManyAccessTokens,
} from './errors.ts';
import { openKnownTokens } from './known.ts';
import {
  type ConfiguredToken,
  fromConfiguration,
  fromStored,
  hashOf,
  isUsable,
  type KnownToken,
  leavesAnAdmin,
} from './known-tokens.ts';
import { createLastUse } from './last-use.ts';
import { accessTokenRepository, type StoredToken } from './repository.ts';
import { type AccessToken, type CreateAccessToken, type CreatedAccessToken, TOKEN_PREFIXES } from './schema.ts';

/** All are kept in memory, and far fewer machines and people than this use one server. */
const MAX_TOKENS = 1000;

export interface AccessTokens {
  /** Finds the caller of a bearer token; undefined when no such token exists. @throws RequestProblem 401 for an expired one */
  verify(token: string): Promise<Caller | undefined>;
  /** The token of this id, as long as it can be used. */
  current(id: string): Promise<UsableToken | undefined>;
  /** The same, for a session that was begun with it: it counts as used. */
  use(id: string): Promise<UsableToken | undefined>;
  /**
   * Makes the first admin token when nobody could sign in otherwise, and keeps it in a file that only its owner reads.
   * @returns the token, to be shown this once; undefined when there was no need.
   */
  createFirstToken(file: string): Promise<string | undefined>;
  /** @returns with the token itself, this once. @throws RequestProblem 400 @throws DomainProblem 409 when there are too many */
  create(request: CreateAccessToken): Promise<CreatedAccessToken>;
  /** All tokens, configured ones first, then the oldest first. */
  list(): Promise<AccessToken[]>;
  /** @throws RequestProblem 404 */
  get(id: string): Promise<AccessToken>;
  /**
   * The token stops working before this returns, at other backends within a second, and is forgotten.
   * @throws RequestProblem 404 @throws DomainProblem 409 for a configured one and the last that can administer
   */
  revoke(id: string): Promise<void>;
  /** Stores what is not stored yet: when tokens were used. */
  close(): Promise<void>;
}

export interface UsableToken {
  caller: Caller;
  expiresAtMs: number | undefined;
}

interface Deps {
  scope: Scope;
  /** Tokens of environment and file: they are known while the process runs and never stored. */
  configured: readonly ConfiguredToken[];
  /** Whether other backends change the same tokens. Default: this one alone does. */
  isShared?: boolean;
}

export async function createAccessTokens({ scope, configured, isShared = false }: Deps): Promise<AccessTokens> {
  const nowMs = scope.clock.nowMs;
  const known = await openKnownTokens({ read: accessTokenRepository(scope).all, configured, isShared });
  const lastUse = createLastUse(accessTokenRepository(scope).setLastUsed, scope.log);
  /** One change after the other, at all backends: of two admin tokens that revoke each other one has to stay. */
  const changing = async <T>(work: (stored: StoredTokens) => Promise<T>): Promise<T> => {
    const result = await scope.transaction(
      async (scope) => {
        const repository = accessTokenRepository(scope);
        return work({ repository, all: (await repository.all()).map(fromStored) });
      },
      [ACCESS_TOKENS],
    );
    await known.read();
    return result;
  };
  const store = async (
    { repository }: StoredTokens,
    request: CreateAccessToken,
    beforeStoring?: (token: string) => void,
  ) => {
    const token = `${TOKEN_PREFIXES[request.kind]}${randomBytes(32).toString('base64url')}`;
    const stored: StoredToken = {
      id: scope.newId(),
      name: request.name,
      kind: request.kind,
      role: request.role,
      hash: hashOf(token),
      createdAtMs: nowMs(),
      expiresAtMs: request.expires_at === undefined ? undefined : parseInstant(request.expires_at),
      lastUsedAtMs: undefined,
    };
    beforeStoring?.(token);
    await repository.insert(stored);
    return { token, added: fromStored(stored) };
  };
  const usable = async (id: string): Promise<KnownToken | undefined> => {
    const token = await known.withId(id);
    return token !== undefined && isUsable(token, nowMs()) ? token : undefined;
  };
  return {
    verify: async (token) => verify(await known.withHash(hashOf(token)), nowMs(), lastUse.note),
    current: usable,
    use: async (id) => {
      const token = await usable(id);
      if (token !== undefined) lastUse.note(token, nowMs());
      return token;
    },
    createFirstToken: async (file) => {
      if (configured.length > 0) return undefined;
      return changing(async (tokens) => {
        const isAdmin = (token: KnownToken) => token.caller.role === 'admin' && isUsable(token, nowMs());
        if (tokens.all.some(isAdmin)) return undefined;
        // The file comes first: a token that is stored and shown nowhere would lock everyone out.
        const keep = (token: string) => writeFileSync(file, `${token}\n`, { mode: 0o600 });
        return (await store(tokens, { name: 'first admin token', role: 'admin', kind: 'system' }, keep)).token;
      });
    },
    create: async (request) => {
      const { expires_at } = request;
      if (expires_at !== undefined && (parseInstant(expires_at) ?? 0) <= nowMs()) throw expiryInThePast();
      const { token, added } = await changing(async (tokens) => {
        if (tokens.all.length + configured.length >= MAX_TOKENS) throw tooManyAccessTokens(MAX_TOKENS);
        return store(tokens, request);
      });
      return { ...toBody(added, nowMs()), token };
    },
    list: async () => (await known.all()).sort(inOrderOfAge).map((token) => toBody(token, nowMs())),
    get: async (id) => {
      const token = await known.withId(id);
      if (token === undefined) throw accessTokenNotFound(id);
      return toBody(token, nowMs());
    },
    revoke: (id) => changing((tokens) => revoke(id, tokens, configured.map(fromConfiguration), nowMs())),
    close: lastUse.flush,
  };
}

/** The stored tokens while nobody else changes them. */
interface StoredTokens {
  repository: ReturnType<typeof accessTokenRepository>;
  all: readonly KnownToken[];
}

async function revoke(
  id: string,
  { repository, all }: StoredTokens,
  configured: readonly KnownToken[],
  nowMs: number,
): Promise<void> {
  const fixed = new Set(configured.map(({ hash }) => hash));
  // A configured token that is also stored is the configuration's.
  const tokens = [...configured, ...all.filter(({ hash }) => !fixed.has(hash))];
  const token = tokens.find(({ caller }) => caller.tokenId === id);
  if (token === undefined) throw accessTokenNotFound(id);
  const { tokenName } = token.caller;
  if (token.kind === 'configured') throw accessTokenFixed('access_token_configured', tokenName);
  if (!leavesAnAdmin(tokens, token, nowMs)) throw accessTokenFixed('last_admin_access_token', tokenName);
  await repository.remove(id);
}

function verify(
  token: KnownToken | undefined,
  nowMs: number,
  note: (token: KnownToken, nowMs: number) => void,
): Caller | undefined {
  if (token === undefined) return undefined;
  if (!isUsable(token, nowMs)) throw accessTokenExpired(token.caller.tokenName, formatInstant(token.expiresAtMs ?? 0));
  note(token, nowMs);
  return token.caller;
}

/** Configured ones have no instant of their making and come first. */
function inOrderOfAge(a: KnownToken, b: KnownToken): number {
  return (a.createdAtMs ?? 0) - (b.createdAtMs ?? 0) || (a.caller.tokenId < b.caller.tokenId ? -1 : 1);
}

function toBody(token: KnownToken, nowMs: number): AccessToken {
  const { caller, kind, createdAtMs, expiresAtMs, lastUsedAtMs } = token;
  return {
    id: caller.tokenId,
    name: caller.tokenName,
    kind,
    role: caller.role,
    status: isUsable(token, nowMs) ? 'active' : 'expired',
    ...(createdAtMs !== undefined && { created_at: formatInstant(createdAtMs) }),
    ...(expiresAtMs !== undefined && { expires_at: formatInstant(expiresAtMs) }),
    ...(lastUsedAtMs !== undefined && { last_used_at: formatInstant(lastUsedAtMs) }),
  };
}
