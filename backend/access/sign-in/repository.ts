import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import type { Role } from '../../platform/http/roles.ts';
import { toStoredInstant } from '../../platform/instant.ts';
import type { SignInMethod } from './schema.ts';

export interface SessionRow {
  id: string;
  secret_hash: string;
  method: SignInMethod;
  owner_id: string;
  owner_name: string;
  role: Role;
  client_address: string | null;
  user_agent: string | null;
  created_at: string;
  expires_at: string;
  ended_at: string | null;
}

/** Old ones go when new ones come, these many at a time. */
const REMOVED_AT_ONCE = 200;

export function sessionRepository(db: DbHandle) {
  const tables = withTables<{ sessions: SessionRow }>(db);
  const open = (nowMs: number) =>
    tables.selectFrom('sessions').where('ended_at', 'is', null).where('expires_at', '>', toStoredInstant(nowMs));
  const end = (nowMs: number) =>
    tables
      .updateTable('sessions')
      .set({ ended_at: toStoredInstant(nowMs) })
      .where('ended_at', 'is', null)
      .where('expires_at', '>', toStoredInstant(nowMs));
  return {
    insert: async (row: SessionRow): Promise<void> => {
      await tables.insertInto('sessions').values(row).execute();
    },
    /** Ended ones too: their holder is told so. */
    bySecretHash: (hash: string): Promise<SessionRow | undefined> =>
      tables.selectFrom('sessions').selectAll().where('secret_hash', '=', hash).executeTakeFirst(),
    openById: (id: string, nowMs: number): Promise<SessionRow | undefined> =>
      open(nowMs).selectAll().where('id', '=', id).executeTakeFirst(),
    openPage: async (nowMs: number, page: PageRequest): Promise<{ rows: SessionRow[]; total: number }> => {
      const { total } = await open(nowMs)
        .select((eb) => eb.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      const rows = await open(nowMs)
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { rows, total };
    },
    /** Access tokens that open sessions were begun with. */
    tokensOfOpen: async (nowMs: number): Promise<string[]> => {
      const rows = await open(nowMs).where('method', '=', 'access_token').select('owner_id').distinct().execute();
      return rows.map(({ owner_id }) => owner_id);
    },
    endById: async (id: string, nowMs: number): Promise<boolean> =>
      (await end(nowMs).where('id', '=', id).executeTakeFirst()).numUpdatedRows > 0n,
    /** @returns how many were open */
    endOfOwner: async (ownerId: string, nowMs: number): Promise<number> =>
      Number((await end(nowMs).where('owner_id', '=', ownerId).executeTakeFirst()).numUpdatedRows),
    /** Forgets those of an owner beyond the newest, and some of all that have expired. */
    prune: async (ownerId: string, keep: number, nowMs: number): Promise<void> => {
      const kept = tables
        .selectFrom('sessions')
        .select('id')
        .where('owner_id', '=', ownerId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(keep);
      await tables.deleteFrom('sessions').where('owner_id', '=', ownerId).where('id', 'not in', kept).execute();
      const expired = tables
        .selectFrom('sessions')
        .select('id')
        .where('expires_at', '<=', toStoredInstant(nowMs))
        .orderBy('expires_at')
        .limit(REMOVED_AT_ONCE);
      await tables.deleteFrom('sessions').where('id', 'in', expired).execute();
    },
  };
}
