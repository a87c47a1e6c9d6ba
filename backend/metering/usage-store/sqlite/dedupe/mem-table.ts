import type { IdentityHash } from './identity-hash.ts';

/** Hashes of recent events and the rows they stand in: open addressing in typed arrays, 12 bytes a slot. */
export interface MemTable {
  /** Entries in it. */
  readonly size: number;
  add(hash: IdentityHash, rowId: number): void;
  /** Calls `isSame` with each row of that hash until it says yes. */
  has(hash: IdentityHash, isSame: (rowId: number) => boolean): boolean;
  /** All entries as triplets (high, low, row − firstRow), in the order of the hash's upper bits. */
  sorted(bucketBits: number): { entries: Uint32Array; bucketStarts: Uint32Array };
  readonly firstRow: number;
}

/** Above this share of used slots, runs of neighbours get long. */
const MAX_LOAD = 0.6;
const INITIAL_SLOTS = 1 << 12;

/** @param firstRow rows are kept relative to it, in 32 bits */
export function createMemTable(firstRow: number): MemTable {
  let slots = INITIAL_SLOTS;
  let size = 0;
  let highs = new Uint32Array(slots);
  let lows = new Uint32Array(slots);
  // Relative row plus one: zero marks a free slot.
  let rows = new Uint32Array(slots);

  const place = (high: number, low: number, row: number): void => {
    let slot = low & (slots - 1);
    while (rows[slot] !== 0) slot = (slot + 1) & (slots - 1);
    highs[slot] = high;
    lows[slot] = low;
    rows[slot] = row;
  };

  const grow = (): void => {
    const [oldHighs, oldLows, oldRows] = [highs, lows, rows];
    slots *= 2;
    highs = new Uint32Array(slots);
    lows = new Uint32Array(slots);
    rows = new Uint32Array(slots);
    for (let slot = 0; slot < oldRows.length; slot++) {
      const row = oldRows[slot] as number;
      if (row !== 0) place(oldHighs[slot] as number, oldLows[slot] as number, row);
    }
  };

  return {
    firstRow,
    get size() {
      return size;
    },
    add({ high, low }, rowId) {
      if (size + 1 > slots * MAX_LOAD) grow();
      place(high, low, rowId - firstRow + 1);
      size++;
    },
    has({ high, low }, isSame) {
      let slot = low & (slots - 1);
      for (;;) {
        const row = rows[slot] as number;
        if (row === 0) return false;
        if (lows[slot] === low && highs[slot] === high && isSame(row - 1 + firstRow)) return true;
        slot = (slot + 1) & (slots - 1);
      }
    },
    sorted: (bucketBits) => sortIntoBuckets(highs, lows, rows, size, bucketBits),
  };
}

/** Counting sort by the upper bits: one pass to count, one to place. */
function sortIntoBuckets(
  highs: Uint32Array,
  lows: Uint32Array,
  rows: Uint32Array,
  size: number,
  bucketBits: number,
): { entries: Uint32Array; bucketStarts: Uint32Array } {
  const shift = 32 - bucketBits;
  const bucketStarts = new Uint32Array((1 << bucketBits) + 1);
  for (let slot = 0; slot < rows.length; slot++) {
    if (rows[slot] === 0) continue;
    const next = ((highs[slot] as number) >>> shift) + 1;
    bucketStarts[next] = (bucketStarts[next] as number) + 1;
  }
  for (let bucket = 1; bucket < bucketStarts.length; bucket++) {
    bucketStarts[bucket] = (bucketStarts[bucket] as number) + (bucketStarts[bucket - 1] as number);
  }
  const entries = new Uint32Array(size * 3);
  const next = bucketStarts.slice();
  for (let slot = 0; slot < rows.length; slot++) {
    const row = rows[slot] as number;
    if (row === 0) continue;
    const bucket = (highs[slot] as number) >>> shift;
    const at = (next[bucket] as number) * 3;
    next[bucket] = (next[bucket] as number) + 1;
    entries[at] = highs[slot] as number;
    entries[at + 1] = lows[slot] as number;
    entries[at + 2] = row - 1;
  }
  return { entries, bucketStarts };
}
