import { bucketOf, bucketStartMs } from '../series/levels.ts';
import type { AppendResult, GatewayDelivery, NewEvent } from '../types.ts';
import { type AddedEvents, insertDeltas, prepareContributions } from './contributions.ts';
import { type Database, LOCK_SPACE, LOCKS, numberArray, type PgClient, textArray } from './database.ts';
import { recordDelivery } from './gateway-ledger.ts';
import { hashTexts } from './identity.ts';
import type { Names } from './names.ts';
import type { Partitions } from './partitions.ts';
import { ROWS_OF_BATCH, rowOf } from './row-numbers.ts';
import { readSeries, type SeriesSet } from './series.ts';
import type { Tuples } from './tuples.ts';
import { giveWay } from './turns.ts';

/** The events of one request. */
export interface AppendRequest {
  events: readonly NewEvent[];
  delivery?: GatewayDelivery | undefined;
  /** When the request was handed over, milliseconds since the epoch. */
  nowMs: number;
}

export interface IngestDeps {
  db: Database;
  names: Names;
  tuples: Tuples;
  partitions: Partitions;
}

/** An event on its way, with the number of its request. */
interface Candidate {
  event: NewEvent;
  request: number;
  identity: string;
  month: number;
}

/** A change of meters between reading them and storing is rare; twice in a row is rarer. */
const MAX_ATTEMPTS = 5;

/**
 * Stores the events of several requests in one transaction, each once: durable when it resolves, or none of it.
 * Numbers for names and combinations are made before, in transactions of their own; within this one nothing is changed that
 * another backend changes too, but for the ledger row of one gateway process, at its end.
 */
export function openIngest(deps: IngestDeps): (requests: readonly AppendRequest[]) => Promise<AppendResult[]> {
  let series: SeriesSet | undefined;
  return async (requests) => {
    const candidates = await candidatesOf(requests);
    const nowMs = requests.reduce((latest, request) => Math.max(latest, request.nowMs), 0);
    await deps.partitions.prepare(
      candidates.map(({ event }) => event.timeMs),
      nowMs,
    );
    const ids = await deps.names.idsOf(candidates.flatMap(({ event }) => [event.source, event.type, event.subject]));
    await deps.names.addSources(candidates.map(({ event }) => ids.get(event.source) as number));
    for (let attempt = 1; ; attempt++) {
      series ??= await deps.db.withClient(readSeries);
      const events = candidates.map(({ event }) => event);
      const contributions = await prepareContributions(series, deps.tuples, events, ids);
      const version = series.version;
      const results = await deps.db.transaction('READ COMMITTED', async (client) => {
        const begun = await begin(client, Math.max(1, Math.ceil(candidates.length / ROWS_OF_BATCH)));
        if (begun.version !== version) return undefined;
        const stored = await storeCandidates(client, candidates, ids, begun.batches, nowMs);
        await insertDeltas(client, contributions, stored.added);
        await insertBatch(client, begun.batches, stored, candidates, ids, nowMs);
        const outcome = resultsOf(requests, candidates, stored.isStored);
        await recordAll(client, requests, outcome);
        return outcome;
      });
      if (results !== undefined) return results;
      if (attempt >= MAX_ATTEMPTS) throw new Error('the meters change faster than events can be stored');
      series = undefined;
    }
  };
}

async function candidatesOf(requests: readonly AppendRequest[]): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const [request, { events }] of requests.entries()) {
    for (const event of events) {
      const identity = hashTexts(event.source, event.id);
      candidates.push({ event, request, identity, month: bucketOf('month', event.timeMs) });
      await giveWay();
    }
  }
  return candidates;
}

/**
 * The transaction has its number of the database before it takes those of its batches: whoever sees that all transactions
 * before a moment have ended then knows it of all batches that were numbered by then.
 */
async function begin(client: PgClient, count: number): Promise<{ version: number; batches: number[] }> {
  await client.query({
    name: 'begin-ingest',
    text: 'SELECT pg_advisory_xact_lock_shared($1, $2), pg_current_xact_id()::text',
    values: [LOCK_SPACE, LOCKS.series],
  });
  const { rows } = await client.query<{ version: number; batch: number }>({
    name: 'number-batches',
    text: `SELECT series_version AS version, nextval('batch_numbers') AS batch FROM store, generate_series(1, $1::integer)`,
    values: [count],
  });
  return { version: rows[0]?.version ?? -1, batches: rows.map(({ batch }) => batch) };
}

interface Stored {
  /** By the place of the candidate. */
  isStored: boolean[];
  added: AddedEvents;
  again: { rowId: number; isDiffering: boolean }[];
}

async function storeCandidates(
  client: PgClient,
  candidates: readonly Candidate[],
  ids: ReadonlyMap<string, number>,
  batches: readonly number[],
  nowMs: number,
): Promise<Stored> {
  const early = await earlierOfOwnTime(client, candidates);
  const seen = new Set<string>();
  const fresh: number[] = [];
  for (const [index, { identity, month, event }] of candidates.entries()) {
    const key = `${month} ${identity}`;
    if (seen.has(key) || (event.isTimeOfReceipt === true && early.has(identity))) continue;
    seen.add(key);
    fresh.push(index);
  }
  // In one order, so that none of two transactions with the same events waits for the other in a circle.
  fresh.sort((a, b) => compareCandidates(candidates[a] as Candidate, candidates[b] as Candidate));
  const rows = new Set(await insertEvents(client, fresh, candidates, ids, batches, nowMs));
  const isStored = candidates.map((_, index) => rows.has(rowOf(batches, index)));
  const places = [...isStored.keys()].filter((index) => isStored[index]);
  return {
    isStored,
    added: { places, rowIds: places.map((index) => rowOf(batches, index)) },
    again: await findAgain(client, candidates, isStored, ids),
  };
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return a.month - b.month || (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0);
}

async function insertEvents(
  client: PgClient,
  fresh: readonly number[],
  candidates: readonly Candidate[],
  ids: ReadonlyMap<string, number>,
  batches: readonly number[],
  nowMs: number,
): Promise<number[]> {
  if (fresh.length === 0) return [];
  const events = fresh.map((index) => (candidates[index] as Candidate).event);
  const names = (texts: string[]) => numberArray(texts.map((text) => ids.get(text) as number));
  const { rows } = await client.query<[number]>({
    name: 'insert-events',
    text: `INSERT INTO events (row_id, identity, source, id, type, subject, time_ms, data, ingested_at_ms, stored_at_ms)
      SELECT *, $10::bigint FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::text[], $9::bigint[]) ON CONFLICT DO NOTHING RETURNING row_id`,
    values: [
      numberArray(fresh.map((index) => rowOf(batches, index))),
      `{${fresh.map((index) => (candidates[index] as Candidate).identity).join(',')}}`,
      names(events.map(({ source }) => source)),
      textArray(events.map(({ id }) => id)),
      names(events.map(({ type }) => type)),
      names(events.map(({ subject }) => subject)),
      numberArray(events.map(({ timeMs }) => timeMs)),
      textArray(events.map(({ data }) => data ?? null)),
      numberArray(events.map(({ ingestedAtMs }) => ingestedAtMs)),
      nowMs,
    ],
    rowMode: 'array',
  });
  return rows.map(([rowId]) => rowId);
}

const HOUR_MS = 3_600_000;
/** Of the hashes of events at the turn of a month: so few locks that a server has them for all who store. */
const LOCKS_OF_TURN = 16;

/**
 * Identities of events without a time of their own that stand in a neighbouring month already: sent again, such an event
 * has another time. Where two that are stored at the same time could be of two months, they wait for one another.
 */
async function earlierOfOwnTime(client: PgClient, candidates: readonly Candidate[]): Promise<ReadonlySet<string>> {
  const timeless = candidates.filter(({ event }) => event.isTimeOfReceipt === true);
  const found = new Set<string>();
  if (timeless.length === 0) return found;
  const turning = timeless.filter(({ event: { timeMs } }) =>
    [-HOUR_MS, HOUR_MS].some((distance) => bucketOf('month', timeMs + distance) !== bucketOf('month', timeMs)),
  );
  const locks = new Set(turning.map(({ identity }) => Number.parseInt(identity.slice(0, 4), 16) % LOCKS_OF_TURN));
  for (const lock of [...locks].sort((a, b) => a - b)) {
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, 1000 + lock]);
  }
  for (const [month, own] of Map.groupBy(timeless, (candidate) => candidate.month)) {
    const { rows } = await client.query<{ identity: string }>(
      `SELECT identity FROM events WHERE identity = ANY($1::uuid[])
       AND (time_ms >= $2 AND time_ms < $3 OR time_ms >= $4 AND time_ms < $5)`,
      [
        `{${own.map(({ identity }) => identity).join(',')}}`,
        bucketStartMs('month', month - 1),
        bucketStartMs('month', month),
        bucketStartMs('month', month + 1),
        bucketStartMs('month', month + 2),
      ],
    );
    for (const { identity } of rows) found.add(identity);
  }
  return found;
}

/** The stored events that the others are. One that is not found (its time is another) is only counted. */
async function findAgain(
  client: PgClient,
  candidates: readonly Candidate[],
  isStored: readonly boolean[],
  ids: ReadonlyMap<string, number>,
): Promise<Stored['again']> {
  const others = candidates.filter((_, index) => !isStored[index]);
  const again: Stored['again'] = [];
  for (const [month, own] of Map.groupBy(others, (candidate) => candidate.month)) {
    const { rows } = await client.query<{
      row_id: number;
      identity: string;
      type: number;
      subject: number;
      data: string | null;
    }>(
      `SELECT row_id, identity, type, subject, data FROM events
       WHERE identity = ANY($1::uuid[]) AND time_ms >= $2 AND time_ms < $3`,
      [
        `{${[...new Set(own.map(({ identity }) => identity))].join(',')}}`,
        bucketStartMs('month', month),
        bucketStartMs('month', month + 1),
      ],
    );
    const byIdentity = new Map(rows.map((row) => [row.identity, row]));
    for (const { identity, event } of own) {
      const first = byIdentity.get(identity);
      if (first === undefined) continue;
      // Not the time: one that the sender did not give is that of each receipt.
      const isSame =
        first.type === ids.get(event.type) &&
        first.subject === ids.get(event.subject) &&
        first.data === (event.data ?? null);
      again.push({ rowId: first.row_id, isDiffering: !isSame });
    }
  }
  return again;
}

const DAY_MS = 86_400_000;

/** What the transaction says of itself, for whoever folds it. */
async function insertBatch(
  client: PgClient,
  [batch, ...more]: readonly number[],
  { isStored, added, again }: Stored,
  candidates: readonly Candidate[],
  ids: ReadonlyMap<string, number>,
  nowMs: number,
): Promise<void> {
  const seen = new Map<string, { day: number; subject: number; type: number; count: number; lastMs: number }>();
  for (const index of added.places) {
    const { timeMs, subject: subjectText, type: typeText } = (candidates[index] as Candidate).event;
    const [day, subject, type] = [
      Math.floor(timeMs / DAY_MS),
      ids.get(subjectText) as number,
      ids.get(typeText) as number,
    ];
    const key = `${day} ${subject} ${type}`;
    const sum = seen.get(key) ?? { day, subject, type, count: 0, lastMs: timeMs };
    sum.count++;
    sum.lastMs = Math.max(sum.lastMs, timeMs);
    seen.set(key, sum);
  }
  const sums = [...seen.values()];
  await client.query({
    name: 'insert-batch',
    text: `INSERT INTO batches VALUES ($1, $2, $3, $4, $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
      $10::bigint[], $11::bigint[], $12::bigint[])`,
    values: [
      batch,
      added.places.length,
      isStored.length - added.places.length,
      nowMs,
      numberArray(sums.map(({ day }) => day)),
      numberArray(sums.map(({ subject }) => subject)),
      numberArray(sums.map(({ type }) => type)),
      numberArray(sums.map(({ count }) => count)),
      numberArray(sums.map(() => 0)),
      numberArray(sums.map(({ lastMs }) => lastMs)),
      numberArray(again.map(({ rowId }) => rowId)),
      numberArray(again.map(({ isDiffering }) => (isDiffering ? 1 : 0))),
    ],
  });
  if (more.length > 0) {
    await client.query(
      `INSERT INTO batches SELECT batch, 0, 0, $2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'
       FROM unnest($1::bigint[]) AS batch`,
      [numberArray(more), nowMs],
    );
  }
}

function resultsOf(
  requests: readonly AppendRequest[],
  candidates: readonly Candidate[],
  isStored: readonly boolean[],
): AppendResult[] {
  const results = requests.map(({ events }) => ({ stored: 0, duplicates: events.length }));
  for (const [index, { request }] of candidates.entries()) {
    const result = results[request];
    if (!isStored[index] || result === undefined) continue;
    result.stored++;
    result.duplicates--;
  }
  return results;
}

/** In one order, as the rows are locked until the commit. */
async function recordAll(
  client: PgClient,
  requests: readonly AppendRequest[],
  results: readonly AppendResult[],
): Promise<void> {
  const told = requests.flatMap(({ delivery, nowMs }, index) =>
    delivery === undefined ? [] : [{ delivery, nowMs, result: results[index] as AppendResult }],
  );
  told.sort((a, b) => compare(keyOf(a.delivery), keyOf(b.delivery)));
  for (const { delivery, result, nowMs } of told) await recordDelivery(client, delivery, result, nowMs);
}

const keyOf = ({ node, process }: GatewayDelivery): string => `${node}\0${process}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
