import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import type { SubjectSeen, SubjectsSeen, SubjectsSeenQuery, TypeSeen } from '../../seen-types.ts';
import { untilCancelled } from '../usage-query.ts';
import { type SubjectDay, unsealedDays } from './chunks.ts';

const DAY_MS = 86_400_000;

interface Sum {
  count: number;
  voided: number;
  lastMs: number;
}

/** Subjects with events in a range of days, those with the most events first. */
export function subjectsSeen(db: Sqlite, query: SubjectsSeenQuery, isCancelled: () => boolean): SubjectsSeen {
  const texts = db.prepare('SELECT text FROM names WHERE name_id = ?').pluck();
  const except = new Set(query.except);
  const sums = new Map<number, Sum>();
  for (const day of untilCancelled(daysSeen(db, query), isCancelled)) addTo(sums, day.subject, day);
  const matching: SubjectSeen[] = [];
  let count = 0;
  for (const [id, sum] of sums) {
    const subject = texts.get(id) as string;
    if (except.has(subject) || !subject.startsWith(query.prefix ?? '')) continue;
    matching.push({ subject, count: sum.count, voided: sum.voided, lastSeenAtMs: sum.lastMs });
    count += sum.count;
  }
  matching.sort((a, b) => b.count - a.count || (a.subject < b.subject ? -1 : 1));
  return { subjects: matching.slice(0, query.limit), total: matching.length, count };
}

/** What a subject sent, by event type. */
export function typesSeen(db: Sqlite, subject: string): TypeSeen[] {
  const texts = db.prepare('SELECT text FROM names WHERE name_id = ?').pluck();
  const sums = new Map<number, Sum>();
  for (const day of daysSeen(db, { subjects: [subject], limit: 1 })) addTo(sums, day.type, day);
  return [...sums]
    .map(([type, sum]) => ({
      type: texts.get(type) as string,
      count: sum.count,
      voided: sum.voided,
      lastSeenAtMs: sum.lastMs,
    }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
}

function addTo(sums: Map<number, Sum>, key: number, { events, voided, lastMs }: SubjectDay): void {
  const sum = sums.get(key) ?? { count: 0, voided: 0, lastMs: Number.NEGATIVE_INFINITY };
  sum.count += events - voided;
  sum.voided += voided;
  sum.lastMs = Math.max(sum.lastMs, lastMs);
  sums.set(key, sum);
}

/** The days of subjects, from those written down and from the youngest events. */
function* daysSeen(db: Sqlite, query: SubjectsSeenQuery): Generator<SubjectDay> {
  const first = query.fromMs === undefined ? Number.MIN_SAFE_INTEGER : Math.floor(query.fromMs / DAY_MS);
  const end = query.toMs === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(query.toMs / DAY_MS);
  const type = query.type === undefined ? undefined : idOf(db, query.type);
  if (query.type !== undefined && type === undefined) return;
  const subjects = query.subjects && new Set(query.subjects.flatMap((subject) => idOf(db, subject) ?? []));
  const wanted = (day: SubjectDay) =>
    day.day >= first &&
    day.day < end &&
    (type === undefined || day.type === type) &&
    (subjects === undefined || subjects.has(day.subject));
  for (const day of unsealedDays(db)) if (wanted(day)) yield day;
  for (const day of subjects === undefined ? sealed(db, first, end) : sealedOf(db, first, end, subjects)) {
    if (wanted(day)) yield day;
  }
}

const COLUMNS = 'day, subject, type, events, voided, last_ms AS lastMs';

function sealed(db: Sqlite, first: number, end: number): IterableIterator<SubjectDay> {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM subject_days WHERE day >= ? AND day < ?`);
  return rows.iterate(first, end) as IterableIterator<SubjectDay>;
}

/** A seek for each day that has events and each subject. */
function* sealedOf(db: Sqlite, first: number, end: number, subjects: ReadonlySet<number>): Generator<SubjectDay> {
  const next = db.prepare('SELECT day FROM subject_days WHERE day >= ? AND day < ? ORDER BY day LIMIT 1').pluck();
  const find = db.prepare(`SELECT ${COLUMNS} FROM subject_days WHERE day = ? AND subject = ?`);
  for (let day = next.get(first, end); day !== undefined; day = next.get((day as number) + 1, end)) {
    for (const subject of subjects) yield* find.all(day, subject) as SubjectDay[];
  }
}

function idOf(db: Sqlite, text: string): number | undefined {
  return db.prepare('SELECT name_id FROM names WHERE text = ?').pluck().get(text) as number | undefined;
}
