import { createHash } from 'node:crypto';
import type { Caller, Role } from '../../platform/http/env.ts';
import { idOfHash } from '../../platform/ids.ts';
import type { StoredToken } from './repository.ts';

/** A token that the configuration names, in clear or as its SHA-256 in hexadecimal. */
export type ConfiguredToken = { name: string; role: Role } & ({ token: string } | { tokenSha256: string });

/** A token that can be used, or could until it expired. */
export interface KnownToken {
  readonly hash: string;
  readonly kind: StoredToken['kind'] | 'configured';
  readonly caller: Caller;
  readonly createdAtMs: number | undefined;
  readonly expiresAtMs: number | undefined;
  lastUsedAtMs: number | undefined;
}

/** SHA-256 in hexadecimal: what of a token is kept. A token has 256 random bits, so no slower hash is needed. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function fromStored(token: StoredToken): KnownToken {
  const { id, name, role, hash, kind, createdAtMs, expiresAtMs, lastUsedAtMs } = token;
  return { hash, kind, caller: { tokenId: id, tokenName: name, role }, createdAtMs, expiresAtMs, lastUsedAtMs };
}

/** Its id comes from its hash, so that a token has the same one after each start. */
export function fromConfiguration(token: ConfiguredToken): KnownToken {
  const hash = 'token' in token ? hashOf(token.token) : token.tokenSha256;
  return {
    hash,
    kind: 'configured',
    caller: { tokenId: idOfHash(hashOf(`configured:${hash}`)), tokenName: token.name, role: token.role },
    createdAtMs: undefined,
    expiresAtMs: undefined,
    lastUsedAtMs: undefined,
  };
}

export function isUsable(token: KnownToken, nowMs: number): boolean {
  return token.expiresAtMs === undefined || token.expiresAtMs > nowMs;
}

/**
 * Whether somebody can still administer when this token is gone, and not only until the others expire: that would lock
 * everyone out later.
 */
export function leavesAnAdmin(tokens: Iterable<KnownToken>, gone: KnownToken, nowMs: number): boolean {
  if (gone.caller.role !== 'admin' || !isUsable(gone, nowMs)) return true;
  const mayExpire = gone.expiresAtMs !== undefined;
  for (const token of tokens) {
    if (token === gone || token.caller.role !== 'admin') continue;
    if (token.expiresAtMs === undefined || (mayExpire && isUsable(token, nowMs))) return true;
  }
  return false;
}
