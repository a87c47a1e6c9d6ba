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
}

type Named = Pick<SourceReportRow, 'node' | 'process'>;

/** What collectors said of their sources last. */
export function sourceReportsRepository(db: DbHandle) {
  const tables = withTables<{ source_reports: SourceReportRow }>(db);
  return {
    put: async (row: SourceReportRow): Promise<void> => {
      const { node: _node, process: _process, ...said } = row;
      await tables
        .insertInto('source_reports')
        .values(row)
        .onConflict((conflict) => conflict.columns(['node', 'process']).doUpdateSet(said))
        .execute();
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
