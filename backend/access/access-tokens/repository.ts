import { withTables } from '../../platform/db/handle.ts';
import type { Role } from '../../platform/http/env.ts';
import { parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import type { TokenKind } from './schema.ts';

interface AccessTokenRow {
  id: string;
  name: string;
  role: Role;
  token_hash: string;
  created_at: string;
  kind: TokenKind;
  expires_at: string | null;
  last_used_at: string | null;
}

/** A stored token: its hash, never the token. */
export interface StoredToken {
  id: string;
  name: string;
  kind: TokenKind;
  role: Role;
  /** SHA-256 in hexadecimal. */
  hash: string;
  createdAtMs: number;
  expiresAtMs: number | undefined;
  lastUsedAtMs: number | undefined;
}

export function accessTokenRepository(scope: Scope) {
  const tables = withTables<{ access_tokens: AccessTokenRow }>(scope);
  return {
    all: async (): Promise<StoredToken[]> =>
      (await tables.selectFrom('access_tokens').selectAll().execute()).map(toToken),
    insert: async (token: StoredToken): Promise<void> => {
      const row: AccessTokenRow = {
        id: token.id,
        name: token.name,
        role: token.role,
        token_hash: token.hash,
        created_at: toStoredInstant(token.createdAtMs),
        kind: token.kind,
        expires_at: token.expiresAtMs === undefined ? null : toStoredInstant(token.expiresAtMs),
        last_used_at: null,
      };
      await tables.insertInto('access_tokens').values(row).execute();
    },
    remove: async (id: string): Promise<void> => {
      await tables.deleteFrom('access_tokens').where('id', '=', id).execute();
    },
    /** @param uses when each token was last used, by its id */
    setLastUsed: (uses: ReadonlyMap<string, number>): Promise<void> =>
      scope.withoutSync(async (connection) => {
        const own = withTables<{ access_tokens: AccessTokenRow }>(connection);
        for (const [id, atMs] of uses) {
          const last_used_at = toStoredInstant(atMs);
          await own.updateTable('access_tokens').set({ last_used_at }).where('id', '=', id).execute();
        }
      }),
  };
}

function toToken(row: AccessTokenRow): StoredToken {
  const instant = (text: string | null) => (text === null ? undefined : parseInstant(text));
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    role: row.role,
    hash: row.token_hash,
    createdAtMs: parseInstant(row.created_at) ?? 0,
    expiresAtMs: instant(row.expires_at),
    lastUsedAtMs: instant(row.last_used_at),
  };
}
