import type { Sqlite } from '../../../../platform/db/sqlite.ts';
import { type BloomFilter, createBloomFilter, openBloomFilter } from './bloom-filter.ts';
import type { IdentityHash } from './identity-hash.ts';
import type { MemTable } from './mem-table.ts';

/** Hashes of older events, on disk in buckets of about a page, with a filter in memory that answers nearly every "no". */
export interface Segments {
  /** The highest row that a finished segment covers. */
  readonly lastRow: number;
  readonly count: number;
  has(hash: IdentityHash, isSame: (rowId: number) => boolean): boolean;
  /** Begins to write a table as a segment; the table must answer until the writing is done. */
  begin(table: MemTable, lastRow: number): SegmentWriting;
  /** Forgets segments whose rows all lie below; to be called in a transaction. */
  dropBelow(row: number): void;
}

export interface SegmentWriting {
  /** Writes the next buckets, in the transaction of the caller. @returns true when all are written */
  writeSome(): boolean;
}

interface Segment {
  number: number;
  firstRow: number;
  lastRow: number;
  bucketBits: number;
  filter: BloomFilter;
}

interface SegmentRow {
  segment: number;
  first_row: number;
  last_row: number;
  bucket_bits: number;
  filter: Uint8Array;
}

/** 256 entries of 12 bytes fill three quarters of a page. */
const ENTRIES_PER_BUCKET = 256;
/** Some 200 kB a transaction: sealing must not be felt as a pause. */
const BUCKETS_PER_STEP = 64;
/** Row ids of buckets: segment times this plus bucket. */
const BUCKETS_PER_SEGMENT = 1 << 24;
/** What a hash is compared with before its row is looked at, in 32-bit words. */
const ENTRY_WORDS = 3;

/** Opens what is finished and removes what a crash left half written. */
export function openSegments(db: Sqlite): Segments {
  const statements = {
    bucket: db.prepare('SELECT entries FROM dedupe_buckets WHERE bucket_id = ?').pluck(),
    putBucket: db.prepare('INSERT OR REPLACE INTO dedupe_buckets VALUES (?, ?)'),
    putSegment: db.prepare('INSERT INTO dedupe_segments VALUES (?, ?, ?, ?, ?)'),
    dropSegment: db.prepare('DELETE FROM dedupe_segments WHERE segment = ?'),
    dropBuckets: db.prepare('DELETE FROM dedupe_buckets WHERE bucket_id >= ? AND bucket_id < ?'),
  };
  const rows = db.prepare('SELECT * FROM dedupe_segments ORDER BY segment').all() as SegmentRow[];
  let segments: Segment[] = rows.map((row) => ({
    number: row.segment,
    firstRow: row.first_row,
    lastRow: row.last_row,
    bucketBits: row.bucket_bits,
    filter: openBloomFilter(row.filter),
  }));
  const nextNumber = () => (segments.at(-1)?.number ?? 0) + 1;
  statements.dropBuckets.run(nextNumber() * BUCKETS_PER_SEGMENT, Number.MAX_SAFE_INTEGER);

  const bucketHas = (segment: Segment, { high, low }: IdentityHash, isSame: (rowId: number) => boolean): boolean => {
    const bucketId = segment.number * BUCKETS_PER_SEGMENT + (high >>> (32 - segment.bucketBits));
    const bytes = statements.bucket.get(bucketId) as Uint8Array | undefined;
    if (bytes === undefined) return false;
    const entries = new Uint32Array(bytes.slice().buffer);
    for (let at = 0; at < entries.length; at += ENTRY_WORDS) {
      if (entries[at + 1] !== low || entries[at] !== high) continue;
      if (isSame((entries[at + 2] as number) + segment.firstRow)) return true;
    }
    return false;
  };

  return {
    get lastRow() {
      return segments.at(-1)?.lastRow ?? 0;
    },
    get count() {
      return segments.length;
    },
    has: (hash, isSame) => segments.some((segment) => segment.filter.mayHave(hash) && bucketHas(segment, hash, isSame)),
    begin(table, lastRow) {
      const number = nextNumber();
      const bucketBits = Math.max(1, Math.ceil(Math.log2(table.size / ENTRIES_PER_BUCKET)));
      const { entries, bucketStarts } = table.sorted(bucketBits);
      const filter = createBloomFilter(table.size);
      let bucket = 0;
      const buckets = 1 << bucketBits;
      return {
        writeSome() {
          const end = Math.min(buckets, bucket + BUCKETS_PER_STEP);
          for (; bucket < end; bucket++) {
            const part = entries.subarray(
              (bucketStarts[bucket] as number) * ENTRY_WORDS,
              (bucketStarts[bucket + 1] as number) * ENTRY_WORDS,
            );
            for (let at = 0; at < part.length; at += ENTRY_WORDS)
              filter.add(part[at] as number, part[at + 1] as number);
            const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
            statements.putBucket.run(number * BUCKETS_PER_SEGMENT + bucket, bytes);
          }
          if (bucket < buckets) return false;
          const segment = { number, firstRow: table.firstRow, lastRow, bucketBits, filter };
          statements.putSegment.run(number, segment.firstRow, lastRow, bucketBits, filter.bytes);
          segments = [...segments, segment];
          return true;
        },
      };
    },
    dropBelow(row) {
      for (const segment of segments.filter((candidate) => candidate.lastRow < row)) {
        statements.dropSegment.run(segment.number);
        statements.dropBuckets.run(segment.number * BUCKETS_PER_SEGMENT, (segment.number + 1) * BUCKETS_PER_SEGMENT);
      }
      segments = segments.filter((segment) => segment.lastRow >= row);
    },
  };
}
