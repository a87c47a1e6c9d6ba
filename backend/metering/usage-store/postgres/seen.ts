import type { SubjectSeen, SubjectsSeen, SubjectsSeenQuery, TypeSeen } from '../seen-types.ts';
import type { DuplicatesOf } from '../types.ts';
import { numberArray, type PgClient } from './database.ts';
import { hashTexts } from './identity.ts';
import type { Names } from './names.ts';
import { giveWay } from './turns.ts';

const DAY_MS = 86_400_000;

/** The days of subjects, of all batches, folded or not. */
const DAYS = `(
  SELECT day, subject, type, events, voided, last_ms FROM subject_days
  UNION ALL
  SELECT u.* FROM batches, unnest(days, subjects, types, counts, batches.voided, batches.last_ms)
    AS u (day, subject, type, events, voided, last_ms)) AS d`;

/** Subjects with events in a range of days, those with the most events first. */
export async function subjectsSeen(client: PgClient, names: Names, query: SubjectsSeenQuery): Promise<SubjectsSeen> {
  const { fromMs, toMs, prefix = '', subjects, except, type, limit } = query;
  const idsOf = async (texts: readonly string[] | undefined) =>
    texts === undefined ? null : numberArray(await names.findIds(client, texts));
  const { rows } = await client.query<{
    subject: number;
    count: number;
    voided: number;
    last_ms: number;
  }>(
    `SELECT subject, (sum(events) - sum(voided))::bigint AS count, sum(voided)::bigint AS voided, max(last_ms) AS last_ms
     FROM ${DAYS}
     WHERE ($1::bigint IS NULL OR day >= $1) AND ($2::bigint IS NULL OR day < $2)
       AND ($3::bigint[] IS NULL OR subject = ANY($3)) AND ($4::bigint[] IS NULL OR subject <> ALL($4))
       AND ($5::bigint[] IS NULL OR type = ANY($5))
       AND ($6::text = '' OR subject IN (SELECT name_id FROM names WHERE starts_with(text, $6)))
     GROUP BY subject`,
    [
      fromMs === undefined ? null : Math.floor(fromMs / DAY_MS),
      toMs === undefined ? null : Math.ceil(toMs / DAY_MS),
      await idsOf(subjects),
      await idsOf(except),
      await idsOf(type === undefined ? undefined : [type]),
      prefix,
    ],
  );
  rows.sort((a, b) => b.count - a.count);
  // Names only of those that may be listed: the last one's equals are told apart by theirs.
  const least = rows[limit - 1]?.count ?? Number.NEGATIVE_INFINITY;
  const listed = rows.filter(({ count }) => count >= least);
  const texts = await names.textsOf(
    client,
    listed.map(({ subject }) => subject),
  );
  const seen: SubjectSeen[] = [];
  let count = 0;
  for (const row of rows) {
    count += row.count;
    await giveWay();
  }
  for (const row of listed) {
    const subject = texts.get(row.subject) as string;
    seen.push({ subject, count: row.count, voided: row.voided, lastSeenAtMs: row.last_ms });
  }
  seen.sort((a, b) => b.count - a.count || (a.subject < b.subject ? -1 : 1));
  return { subjects: seen.slice(0, limit), total: rows.length, count };
}

/** What a subject sent, by event type. */
export async function typesSeen(client: PgClient, names: Names, subject: string): Promise<TypeSeen[]> {
  const { rows } = await client.query<{ type: number; count: number; voided: number; last_ms: number }>(
    `SELECT type, (sum(events) - sum(voided))::bigint AS count, sum(voided)::bigint AS voided, max(last_ms) AS last_ms
     FROM ${DAYS} WHERE subject = (SELECT name_id FROM names WHERE hash = $1::uuid) GROUP BY type`,
    [hashTexts(subject)],
  );
  const texts = await names.textsOf(
    client,
    rows.map(({ type }) => type),
  );
  return rows
    .map(({ type, count, voided, last_ms }) => ({
      type: texts.get(type) as string,
      count,
      voided,
      lastSeenAtMs: last_ms,
    }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
}

/** The duplicates of stored events; events without any are absent. */
export async function readDuplicates(client: PgClient, rowIds: readonly number[]): Promise<DuplicatesOf[]> {
  const { rows } = await client.query<DuplicatesOf>(
    `SELECT row_id AS "rowId", sum(times)::bigint AS times, sum(differing)::bigint AS differing, max(last_ms) AS "lastAtMs"
     FROM (SELECT * FROM duplicates
       UNION ALL SELECT u.row_id, 1, u.differing, stored_at_ms
         FROM batches, unnest(again_rows, again_differing) AS u (row_id, differing)) AS d
     WHERE row_id = ANY($1::bigint[]) GROUP BY row_id ORDER BY row_id`,
    [numberArray(rowIds)],
  );
  return rows;
}
