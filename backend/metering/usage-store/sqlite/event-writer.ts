import { type LedgerClaim, openCommitLedger } from '../../../platform/db/commit-ledger.ts';
import type { Sqlite } from '../../../platform/db/sqlite.ts';
import { bucketOf } from '../series/levels.ts';
import type { AppendResult, Expiry, GatewayDelivery, MeterSpec, NewEvent } from '../types.ts';
import { type CorrectionSlice, prepareCorrectionWriter } from './corrections/correction-writer.ts';
import { type Deduplicator, openDeduplicator } from './dedupe/deduplicator.ts';
import { prepareNoteDuplicate } from './duplicates.ts';
import { prepareRecordDelivery } from './gateway-ledger.ts';
import { openNames } from './names.ts';
import { openRetention } from './retention/expiry.ts';
import type { WrongBucket } from './rollup/recompute.ts';
import { openRollupWriter, type RollupOptions } from './rollup/rollup-writer.ts';
import { openChunkWriter } from './seen/chunks.ts';

/** The events of one request. */
export interface AppendRequest {
  events: readonly NewEvent[];
  delivery?: GatewayDelivery | undefined;
  /** When the request was handed over, milliseconds since the epoch. */
  nowMs: number;
}

/** The only writer of events. */
export interface EventWriter {
  /** Stores several requests in one transaction: on disk when it returns, or none of it when it throws. */
  append(requests: readonly AppendRequest[]): AppendResult[];
  /** Rows of the events with this id, of whatever source. */
  findById(id: string): number[];
  /** Keeps roll-ups for these meters from now on. */
  syncMeters(meters: readonly MeterSpec[]): void;
  /** Removes some old events. */
  expire(beforeMs: number): Expiry;
  /** Makes the events of a slice void, or has them counted again. */
  correct(slice: CorrectionSlice): void;
  /** A step of what may take long, in a transaction of its own. @returns whether there was anything to do */
  backFillStep(): boolean;
  /** Has the steps that failed tried again. */
  retryFailed(): void;
  /** Steps that have failed and are passed over until then. */
  failedSteps(): number;
  /** A step of what can wait until nothing is written. @returns whether there was anything to do */
  idleStep(): boolean;
  /** Has a bucket that is not what the events say computed anew; nothing may be waiting to be folded. */
  recompute(bucket: WrongBucket): void;
  close(): void;
}

export interface EventWriterOptions {
  /** Hashes of events that are kept in memory before they go to disk. */
  dedupeMemTableEntries: number;
  rollups: RollupOptions;
  /** undefined: nothing is fenced or counted. */
  claim?: LedgerClaim | undefined;
}

/** Opens the writer over a migrated database; reads the youngest events to know them again. */
export function openEventWriter(db: Sqlite, options: EventWriterOptions): EventWriter {
  const names = openNames(db);
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)');
  const addSource = db.prepare('INSERT OR IGNORE INTO sources VALUES (?)');
  const count = db.prepare('UPDATE store SET stored = stored + ?, duplicates = duplicates + ?');
  const noteDuplicate = prepareNoteDuplicate(db);
  const recordDelivery = prepareRecordDelivery(db);
  let state = readState(db, options);
  const rollups = openRollupWriter(db, names, options.rollups, () => bucketOf('day', state.lastStoredMs));
  const chunks = openChunkWriter(db);
  const correct = prepareCorrectionWriter(db, { markDirty: rollups.markDirty, changed: chunks.changed });
  const retention = openRetention(db, (firstRow) => state.deduplicator.dropBelow(firstRow));

  const appendOne = ({ events, delivery, nowMs }: AppendRequest): AppendResult => {
    // A clock may step back and requests overtake each other; rows keep these two instants in order all the same.
    state.lastStoredMs = Math.max(state.lastStoredMs, nowMs);
    state.lastIngestedMs = Math.max(state.lastIngestedMs, events[0]?.ingestedAtMs ?? 0);
    const { deduplicator, lastStoredMs, lastIngestedMs } = state;
    let stored = 0;
    for (const event of events) {
      if (deduplicator.isKnown(event.source, event.id)) {
        const [first] = deduplicator.find([event.source], event.id);
        if (first !== undefined) noteDuplicate(first, event, lastStoredMs);
        continue;
      }
      const rowId = ++state.lastRow;
      const source = names.idOf(event.source);
      if (!state.sources.has(source)) {
        addSource.run(source);
        state.sources.add(source);
      }
      const { timeMs, data = null } = event;
      const [type, subject] = [names.idOf(event.type), names.idOf(event.subject)];
      insert.run(rowId, source, event.id, type, subject, timeMs, data, lastIngestedMs, lastStoredMs);
      deduplicator.remember(rowId);
      chunks.add(rowId, subject, type, timeMs);
      rollups.addEvent(rowId, type, subject, timeMs, data);
      stored++;
    }
    const result = { stored, duplicates: events.length - stored };
    if (events.length > 0) count.run(result.stored, result.duplicates);
    if (delivery !== undefined) recordDelivery(delivery, result, lastStoredMs);
    return result;
  };

  const appendAll = (requests: readonly AppendRequest[]): AppendResult[] => {
    const results = requests.map(appendOne);
    rollups.flush();
    chunks.sealSome(state.lastRow);
    state.deduplicator.maintain(state.lastRow);
    return results;
  };
  const ledger = options.claim && openCommitLedger(db, options.claim);
  const inTransaction = <T>(work: () => T): T => {
    try {
      const result = db
        .transaction(() => {
          const made = work();
          // A step that found nothing to do has nothing to sync.
          if (made !== false) ledger?.enter();
          return made;
        })
        .immediate();
      if (result !== false) ledger?.committed();
      return result;
    } catch (error) {
      // What memory holds of the failed transaction is not on disk: read it anew.
      names.rolledBack();
      state = readState(db, options);
      rollups.reload();
      chunks.reload();
      throw error;
    }
  };

  return {
    append: (requests) => inTransaction(() => appendAll(requests)),
    findById: (id) => state.deduplicator.find(sourceTexts(db), id),
    syncMeters: (meters) => inTransaction(() => rollups.sync(meters, state.lastRow)),
    expire: (beforeMs) => inTransaction(() => retention.step(beforeMs, state.lastRow)),
    correct: (slice) => inTransaction(() => correct(slice)),
    backFillStep: () => inTransaction(() => chunks.sealSome(state.lastRow) || rollups.backFillStep()),
    idleStep: () => inTransaction(rollups.foldStep),
    retryFailed: rollups.retryFailed,
    failedSteps: () => rollups.failedSteps,
    recompute: (bucket) => inTransaction(() => rollups.recompute(bucket)),
    close: () => ledger?.close(),
  };
}

/** What the writer keeps in memory; all of it can be read back from the database. */
interface WriterState {
  lastRow: number;
  lastIngestedMs: number;
  lastStoredMs: number;
  /** name_id of every source. */
  sources: Set<number>;
  deduplicator: Deduplicator;
}

function readState(db: Sqlite, { dedupeMemTableEntries }: EventWriterOptions): WriterState {
  const last = db
    .prepare('SELECT row_id, ingested_at_ms, stored_at_ms FROM events ORDER BY row_id DESC LIMIT 1')
    .get() as { row_id: number; ingested_at_ms: number; stored_at_ms: number } | undefined;
  const seed = db.prepare('SELECT hash_seed FROM store').pluck().get() as number;
  const same = db.prepare(
    'SELECT 1 FROM events JOIN names ON name_id = source WHERE row_id = ? AND id = ? AND text = ?',
  );
  const after = db.prepare(
    'SELECT row_id AS rowId, text AS source, id FROM events JOIN names ON name_id = source WHERE row_id > ? ORDER BY row_id',
  );
  return {
    lastRow: last?.row_id ?? 0,
    lastIngestedMs: last?.ingested_at_ms ?? 0,
    lastStoredMs: last?.stored_at_ms ?? 0,
    sources: new Set(db.prepare('SELECT name_id FROM sources').pluck().all() as number[]),
    deduplicator: openDeduplicator(db, {
      isSameEvent: (rowId, source, id) => same.get(rowId, id, source) !== undefined,
      rowsAfter: (rowId) => after.iterate(rowId) as Iterable<{ rowId: number; source: string; id: string }>,
      seed,
      memTableEntries: dedupeMemTableEntries,
    }),
  };
}

function sourceTexts(db: Sqlite): string[] {
  return db.prepare('SELECT text FROM sources JOIN names USING (name_id)').pluck().all() as string[];
}
