import { sql } from 'kysely';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import { inLists } from '../../platform/db/in-lists.ts';

export interface SourceReportRow {
  node: string;
  process: string;
  kind: string;
  version: string;
  reported_at: string;
  lag_seconds: number | null;
  waiting: number;
  open: number | null;
  error: string | null;
  error_at: string | null;
  /** Whose report it is; null = of a time when that was not kept. */
  token_id: string | null;
}

type Named = Pick<SourceReportRow, 'node' | 'process'>;

/** What collectors said of their sources last. */
export function sourceReportsRepository(db: DbHandle) {
  const tables = withTables<{ source_reports: SourceReportRow }>(db);
  return {
    /**
     * In place of the last one, where that is the same token's, or of before an instant.
     * @returns false = it is another token's
     */
    put: async (row: SourceReportRow, silentBefore: string): Promise<boolean> => {
      const { node: _node, process: _process, ...said } = row;
      const kept = await tables
        .insertInto('source_reports')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['node', 'process'])
            .doUpdateSet(said)
            .where((is) =>
              is.or([
                is('source_reports.token_id', 'is', null),
                is('source_reports.token_id', '=', row.token_id),
                is('source_reports.reported_at', '<', silentBefore),
              ]),
            ),
        )
        .returning('node')
        .executeTakeFirst();
      return kept !== undefined;
    },
    /** Reports of before an instant, at most so many. */
    forget: async (before: string, most: number): Promise<void> => {
      const old = await tables
        .selectFrom('source_reports')
        .select(['node', 'process'])
        .where('reported_at', '<', before)
        .orderBy('reported_at')
        .limit(most)
        .execute();
      for (const { node, process } of old) {
        await tables.deleteFrom('source_reports').where('node', '=', node).where('process', '=', process).execute();
      }
    },
    /** By both names: as many nodes as there are may call a process of theirs the same. */
    ofProcesses: (processes: Iterable<Named>): Promise<SourceReportRow[]> =>
      inLists(processes, (list) => {
        const named = sql.join(list.map(({ node, process }) => sql`(${node}, ${process})`));
        const isOneOfThem = sql<boolean>`(node, process) in (values ${named})`;
        return tables.selectFrom('source_reports').selectAll().where(isOneOfThem).execute();
      }),
  };
}
