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
    ofProcesses: (processes: Iterable<string>): Promise<SourceReportRow[]> =>
      inLists(processes, (list) =>
        tables.selectFrom('source_reports').selectAll().where('process', 'in', list).execute(),
      ),
  };
}
