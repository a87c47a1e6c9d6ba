import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { hashIdentity, type IdentityHash } from './identity-hash.ts';
import { createMemTable, type MemTable } from './mem-table.ts';
import { openSegments, type SegmentWriting } from './segments.ts';

/**
 * Knows every stored event by (source, id). A unique index over random ids costs a random page for each event and falls
 * to a tenth of the speed of a bare table; this costs one hash and one look into memory. Recent hashes are in a table in
 * memory, older ones in segments on disk with a filter in memory; a hash that is found is settled by reading the row, so
 * the answer is exact.
 */
export interface Deduplicator {
  /** Whether the event is stored; leaves its hash for `remember`. To be called inside the transaction. */
  isKnown(source: string, id: string): boolean;
  /** The event asked for last stands in this row now. */
  remember(rowId: number): void;
  /** Rows of all events with this identity among the given sources. */
  find(sources: readonly string[], id: string): number[];
  /** Does a small piece of the upkeep that is due; to be called in each transaction, before its commit. */
  maintain(lastRow: number): void;
  dropBelow(row: number): void;
  readonly segments: number;
}

export interface DeduplicatorOptions {
  /** Whether the row holds this very event. Rows that do not exist (rolled back, expired) do not. */
  isSameEvent(rowId: number, source: string, id: string): boolean;
  /** Rows above the given one, oldest first. */
  rowsAfter(rowId: number): Iterable<{ rowId: number; source: string; id: string }>;
  seed: number;
  /** Entries in memory before they go to disk: 12 bytes each at a load of 0.3 to 0.6. */
  memTableEntries: number;
}

/** Opens the segments and reads what is younger from the events themselves: some million a second. */
export function openDeduplicator(db: Sqlite, options: DeduplicatorOptions): Deduplicator {
  const { isSameEvent, seed, memTableEntries } = options;
  const segments = openSegments(db);
  const hash: IdentityHash = { high: 0, low: 0 };
  let active = createMemTable(segments.lastRow + 1);
  /** A full table that is being written to disk and answers until that is done. */
  let sealing: { table: MemTable; writing: SegmentWriting } | undefined;

  for (const { rowId, source, id } of options.rowsAfter(segments.lastRow)) {
    hashIdentity(source, id, seed, hash);
    active.add(hash, rowId);
  }

  return {
    isKnown(source, id) {
      hashIdentity(source, id, seed, hash);
      const isSame = (rowId: number) => isSameEvent(rowId, source, id);
      return active.has(hash, isSame) || (sealing?.table.has(hash, isSame) ?? false) || segments.has(hash, isSame);
    },
    remember(rowId) {
      active.add(hash, rowId);
    },
    find(sources, id) {
      const found = new Set<number>();
      for (const source of sources) {
        hashIdentity(source, id, seed, hash);
        const collect = (rowId: number) => {
          if (isSameEvent(rowId, source, id)) found.add(rowId);
          return false;
        };
        active.has(hash, collect);
        sealing?.table.has(hash, collect);
        segments.has(hash, collect);
      }
      return [...found];
    },
    maintain(lastRow) {
      if (sealing?.writing.writeSome()) sealing = undefined;
      if (active.size < memTableEntries) return;
      // A table that fills up before the one before it is written: finish that first, however long it takes.
      while (sealing !== undefined) if (sealing.writing.writeSome()) sealing = undefined;
      sealing = { table: active, writing: segments.begin(active, lastRow) };
      active = createMemTable(lastRow + 1);
    },
    dropBelow: segments.dropBelow,
    get segments() {
      return segments.count;
    },
  };
}
