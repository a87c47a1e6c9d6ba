import { filterSql, type SqlFragment } from '../../../platform/db/filter-sql.ts';
import type { FilterCondition } from '../../../platform/http/filtering.ts';
import { parseInstant } from '../../../platform/instant.ts';
import type { EventFilterField, EventListQuery } from '../types.ts';
import { numberArray, type PgClient, textArray } from './database.ts';
import { hashTexts } from './identity.ts';
import type { Names } from './names.ts';

/** Which events a list or a correction is about. */
export interface EventRowsQuery extends EventListQuery {
  /** Only events from this time on. */
  minTimeMs?: number | undefined;
  /** Only events that count, or only void ones. */
  state?: 'counting' | 'void' | undefined;
  /** Only events that are void because of the correction with this id. */
  voidedBy?: string | undefined;
  /** An SQL condition of a moment. */
  known?: string | undefined;
}

/** What follows WHERE, with the parameters that it numbers. */
export interface Where {
  text: string;
  params: unknown[];
}

/** More than these are not looked for by identity. */
const MAX_SOURCES = 1000;

/** Conditions on the events `e`. */
export async function whereOf(client: PgClient, names: Names, query: EventRowsQuery): Promise<Where> {
  const fragments: SqlFragment[] = [];
  for (const filter of query.filters) fragments.push(...(await conditions(client, filter)));
  const { subjects, minTimeMs, state, voidedBy, known } = query;
  if (subjects !== undefined) {
    const ids = await names.findIds(client, subjects);
    fragments.push({ text: 'e.subject = ANY(?::bigint[])', params: [numberArray(ids)] });
  }
  if (minTimeMs !== undefined) fragments.push({ text: 'e.time_ms >= ?', params: [minTimeMs] });
  if (state !== undefined) fragments.push({ text: `e.voided_by IS ${state === 'void' ? 'NOT ' : ''}NULL`, params: [] });
  if (voidedBy !== undefined) {
    fragments.push({ text: 'e.voided_by = (SELECT correction FROM corrections WHERE id = ?)', params: [voidedBy] });
  }
  if (known !== undefined) fragments.push({ text: known, params: [] });
  fragments.push(...keyset(query));
  let count = 0;
  const text = fragments.map((fragment) => `(${fragment.text.replaceAll('?', () => `$${++count}`)})`).join(' AND ');
  return { text: text === '' ? 'true' : text, params: fragments.flatMap(({ params }) => params) };
}

async function conditions(client: PgClient, filter: FilterCondition<EventFilterField>): Promise<SqlFragment[]> {
  switch (filter.field) {
    case 'id':
      return [filterSql('e.id', filter), ...(await identities(client, filter))];
    case 'time':
    case 'ingested_at':
    case 'stored_at':
      return [filterSql(`e.${filter.field}_ms`, filter, parseInstant)];
    default:
      return [await nameCondition(client, filter)];
  }
}

/** Over the few names instead of the many events; exact ones by their hash. */
async function nameCondition(client: PgClient, filter: FilterCondition<EventFilterField>): Promise<SqlFragment> {
  const column = `e.${filter.field}`;
  if (filter.operator === 'eq' || filter.operator === 'oeq') {
    const { rows } = await client.query<{ name_id: number }>('SELECT name_id FROM names WHERE hash = ANY($1::uuid[])', [
      textArray(filter.values.map((value) => hashTexts(value))),
    ]);
    return { text: `${column} = ANY(?::bigint[])`, params: [numberArray(rows.map(({ name_id }) => name_id))] };
  }
  const { text, params } = filterSql('text', filter);
  return { text: `${column} IN (SELECT name_id FROM names WHERE ${text})`, params };
}

/** An exact id has one identity with each source. */
async function identities(client: PgClient, { operator, values }: FilterCondition): Promise<SqlFragment[]> {
  if (operator !== 'eq' && operator !== 'oeq') return [];
  const { rows } = await client.query<{ text: string }>(
    `SELECT text FROM sources JOIN names USING (name_id) LIMIT ${MAX_SOURCES + 1}`,
  );
  if (rows.length > MAX_SOURCES) return [];
  const wanted = rows.flatMap(({ text }) => values.map((id) => hashTexts(text, id)));
  return [{ text: 'e.identity = ANY(?::uuid[])', params: [textArray(wanted)] }];
}

function keyset({ after, sort }: EventRowsQuery): SqlFragment[] {
  if (after === undefined) return [];
  const sign = sort.direction === 'asc' ? '>' : '<';
  return sort.field === 'time'
    ? [{ text: `(e.time_ms, e.row_id) ${sign} (?, ?)`, params: [after.atMs, after.rowId] }]
    : [{ text: `e.row_id ${sign} ?`, params: [after.rowId] }];
}

/** Rows rise with both instants of the store but for what the clocks of two backends differ. */
export function orderOf({ sort }: Pick<EventRowsQuery, 'sort'>): string {
  const direction = sort.direction === 'asc' ? 'ASC' : 'DESC';
  return sort.field === 'time' ? `e.time_ms ${direction}, e.row_id ${direction}` : `e.row_id ${direction}`;
}
