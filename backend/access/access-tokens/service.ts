import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import PQueue from 'p-queue';
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
  current(id: string): UsableToken | undefined;
  /** The same, for a session that was begun with it: it counts as used. */
  use(id: string): UsableToken | undefined;
  /**
   * Makes the first admin token when nobody could sign in otherwise, and keeps it in a file that only its owner reads.
   * @returns the token, to be shown this once; undefined when there was no need.
   */
  createFirstToken(file: string): Promise<string | undefined>;
  /** @returns with the token itself, this once. @throws RequestProblem 400 @throws DomainProblem 409 when there are too many */
  create(request: CreateAccessToken): Promise<CreatedAccessToken>;
  /** All tokens, configured ones first, then the oldest first. */
  list(): AccessToken[];
  /** @throws RequestProblem 404 */
  get(id: string): AccessToken;
  /**
   * The token stops working before this returns, and is forgotten.
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
}

export async function createAccessTokens(deps: Deps): Promise<AccessTokens> {
  const { scope, configured } = deps;
  const repository = accessTokenRepository(scope);
  /** By hash: finding one takes as long for a wrong token as for a right one, but for what nobody can aim at. */
  const known = new Map<string, KnownToken>();
  for (const token of await repository.all()) known.set(token.hash, fromStored(token));
  // A configured token that is also stored is the configuration's.
  for (const token of configured.map(fromConfiguration)) known.set(token.hash, token);
  const lastUse = createLastUse(repository.setLastUsed, scope.log);
  /** One change after the other: of two admin tokens that revoke each other one has to stay. */
  const changes = new PQueue({ concurrency: 1 });

  const store = async (request: CreateAccessToken, beforeStoring?: (token: string) => void) => {
    const token = `${TOKEN_PREFIXES[request.kind]}${randomBytes(32).toString('base64url')}`;
    const stored: StoredToken = {
      id: scope.newId(),
      name: request.name,
      kind: request.kind,
      role: request.role,
      hash: hashOf(token),
      createdAtMs: scope.clock.nowMs(),
      expiresAtMs: request.expires_at === undefined ? undefined : parseInstant(request.expires_at),
      lastUsedAtMs: undefined,
    };
    beforeStoring?.(token);
    await repository.insert(stored);
    const added = fromStored(stored);
    known.set(added.hash, added);
    return { token, added };
  };
  const withId = (id: string): KnownToken | undefined => {
    for (const token of known.values()) if (token.caller.tokenId === id) return token;
    return undefined;
  };
  const usable = (id: string): KnownToken | undefined => {
    const token = withId(id);
    return token !== undefined && isUsable(token, scope.clock.nowMs()) ? token : undefined;
  };
  const find = (id: string): KnownToken => {
    const token = withId(id);
    if (token === undefined) throw accessTokenNotFound(id);
    return token;
  };
  return {
    verify: async (token) => verify(known.get(hashOf(token)), scope.clock.nowMs(), lastUse.note),
    current: usable,
    use: (id) => {
      const token = usable(id);
      if (token !== undefined) lastUse.note(token, scope.clock.nowMs());
      return token;
    },
    createFirstToken: async (file) => {
      const isAdmin = (token: KnownToken) => token.caller.role === 'admin' && isUsable(token, scope.clock.nowMs());
      if (configured.length > 0 || [...known.values()].some(isAdmin)) return undefined;
      // The file comes first: a token that is stored and shown nowhere would lock everyone out.
      const keep = (token: string) => writeFileSync(file, `${token}\n`, { mode: 0o600 });
      return (await store({ name: 'first admin token', role: 'admin', kind: 'system' }, keep)).token;
    },
    create: (request) =>
      changes.add(async () => {
        const { expires_at } = request;
        if (expires_at !== undefined && (parseInstant(expires_at) ?? 0) <= scope.clock.nowMs()) throw expiryInThePast();
        if (known.size >= MAX_TOKENS) throw tooManyAccessTokens(MAX_TOKENS);
        const { token, added } = await store(request);
        return { ...toBody(added, scope.clock.nowMs()), token };
      }),
    list: () => [...known.values()].sort(inOrderOfAge).map((token) => toBody(token, scope.clock.nowMs())),
    get: (id) => toBody(find(id), scope.clock.nowMs()),
    revoke: (id) =>
      changes.add(async () => {
        const token = find(id);
        const { tokenName } = token.caller;
        if (token.kind === 'configured') throw accessTokenFixed('access_token_configured', tokenName);
        if (!leavesAnAdmin(known.values(), token, scope.clock.nowMs())) {
          throw accessTokenFixed('last_admin_access_token', tokenName);
        }
        await repository.remove(id);
        known.delete(token.hash);
      }),
    close: lastUse.flush,
  };
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
