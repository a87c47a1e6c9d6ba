import { type ControlDb, withTables } from '../../platform/db/control-db.ts';
import type { Role } from '../../platform/http/env.ts';

export interface AccessTokenRow {
  id: string;
  name: string;
  role: Role;
  token_hash: string;
  created_at: string;
}

/** Stored tokens: their hashes, never the tokens. */
export function accessTokenRepository(db: ControlDb) {
  const tables = withTables<{ access_tokens: AccessTokenRow }>(db);
  return {
    all: () => tables.selectFrom('access_tokens').selectAll().execute(),
    insert: async (row: AccessTokenRow) => {
      await tables.insertInto('access_tokens').values(row).execute();
    },
  };
}
