import type { UsageMoment, UsageSnapshot } from '../tracing-types.ts';
import type { PgClient } from './database.ts';
import { ROWS_OF_BATCH } from './row-numbers.ts';

/** Which events were stored by a moment, and which changes of them were made. */
export interface Moment {
  /** An SQL condition on an event `e`: it was stored by then. */
  known: string;
  /** An SQL condition that all later events fulfil, for an index; undefined where there is none. */
  later: string | undefined;
  /** The last change of an event. */
  change: number;
}

/** All transactions up to here, and those in these ranges; the last change. */
const SNAPSHOT = /^(\d{1,15})((?:,\d{1,15}(?:-\d{1,15})?)*)\.(\d{1,15})$/;

/**
 * The moment of a transaction: the transactions up to which all have ended, and those after them that it sees. These are
 * told in ranges, so that the text is short though numbers are not given in the order of commits.
 */
export async function currentSnapshot(client: PgClient): Promise<UsageSnapshot> {
  const { rows } = await client.query<{ settled: number; batches: number[]; change: number }>({
    name: 'current-snapshot',
    text: `SELECT settled_batch AS settled,
        (SELECT coalesce(array_agg(batch ORDER BY batch), '{}') FROM batches WHERE batch > settled_batch) AS batches,
        (SELECT coalesce(max(change), 0) FROM event_changes) AS change
      FROM store`,
  });
  const { settled = 0, batches = [], change = 0 } = rows[0] ?? {};
  return `${settled}${rangesOf(batches)}.${change}`;
}

function rangesOf(batches: readonly number[]): string {
  let text = '';
  for (let index = 0; index < batches.length; index++) {
    const first = batches[index] as number;
    let last = first;
    while (batches[index + 1] === last + 1) {
      index++;
      last++;
    }
    text += first === last ? `,${first}` : `,${first}-${last}`;
  }
  return text;
}

/** @throws Error for a text that is no snapshot */
export async function toMoment(client: PgClient, moment: UsageMoment): Promise<Moment> {
  if ('atMs' in moment) {
    const { rows } = await client.query<{ change: number }>(
      'SELECT coalesce(max(change), 0) AS change FROM event_changes WHERE at_ms <= $1',
      [moment.atMs],
    );
    return {
      known: `e.stored_at_ms <= ${moment.atMs}`,
      later: `e.stored_at_ms > ${moment.atMs}`,
      change: rows[0]?.change ?? 0,
    };
  }
  return { ...storedBy(moment.snapshot), change: Number.parseInt(SNAPSHOT.exec(moment.snapshot)?.[3] ?? '', 10) };
}

/** The conditions on an event of what a snapshot has seen. */
export function storedBy(snapshot: UsageSnapshot): { known: string; later: string } {
  const match = SNAPSHOT.exec(snapshot);
  if (match === null) throw new Error(`not a snapshot of the usage store: ${snapshot}`);
  const [, settled = '', ranges = ''] = match;
  const rows = ranges
    .split(',')
    .slice(1)
    .map((range) => {
      const [first = '', last = first] = range.split('-');
      return `e.row_id >= ${first}::bigint * ${ROWS_OF_BATCH} AND e.row_id < (${last}::bigint + 1) * ${ROWS_OF_BATCH}`;
    });
  const upTo = `(${settled}::bigint + 1) * ${ROWS_OF_BATCH}`;
  return {
    known: `(${[`e.row_id < ${upTo}`, ...rows].join(' OR ')})`,
    later: `e.row_id >= ${upTo}`,
  };
}

/** Whether an event `e` was void at a moment, as SQL: the first change after it tells the state before. */
export function wasVoidSql(change: number): string {
  return `coalesce(
    (SELECT action = 'restore' FROM event_changes AS c JOIN corrections USING (correction)
     WHERE c.row_id = e.row_id AND c.change > ${change} ORDER BY c.change LIMIT 1),
    e.voided_by IS NOT NULL)`;
}
