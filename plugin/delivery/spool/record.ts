import { crc32 } from 'node:zlib';
import type { Text } from '../texts.ts';

/**
 * A record of a segment file: the mark, the length of the text, the checksum of all that follows it, the number and the
 * instant of the event, and its JSON. All numbers are little-endian. A reader that has lost its place finds the next
 * record by the mark, whose first byte never occurs in UTF-8, and believes only what the checksum confirms.
 */
export interface SpoolRecord {
  readonly number: number;
  /** When the event was pushed, milliseconds since 1970. */
  readonly atEpochMs: number;
  readonly json: string;
}

/** What stands at a place of a segment file. `end` is where the next thing begins. */
export type Finding =
  | { readonly kind: 'record'; readonly record: SpoolRecord; readonly end: number }
  /** Bytes that are no record, up to the next mark. Those that begin with a mark were an event once. */
  | { readonly kind: 'damage'; readonly hasMark: boolean; readonly end: number }
  /** More bytes are needed to judge: at least this many from here on. */
  | { readonly kind: 'incomplete'; readonly bytes: number };

const MARK = Buffer.from([0xf5, 0x4d, 0x42, 0x01]);
const MARK_NUMBER = MARK.readUInt32BE();
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const NUMBER_AT = 12;
const INSTANT_AT = 18;
const TEXT_AT = 24;
/** Numbers and instants have six bytes: enough for a million events a second over eight years, and for the year 10889. */
const WIDE = 6;

/** What a record takes beyond its text. */
export const RECORD_OVERHEAD_BYTES = TEXT_AT;

/**
 * Longer events are not spooled. A thousand times what an event has; without a limit one flipped bit in a length would
 * make a reader allocate whatever it says.
 */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/** Writes a record into `target` at `at`. Returns where it ends. */
export function writeRecord(target: Buffer, at: number, number: number, atEpochMs: number, text: Text): number {
  const end = at + TEXT_AT + text.bytes;
  target.writeUInt32BE(MARK_NUMBER, at);
  target.writeUInt32LE(text.bytes, at + LENGTH_AT);
  target.writeUIntLE(number, at + NUMBER_AT, WIDE);
  target.writeUIntLE(Math.max(0, Math.trunc(atEpochMs)), at + INSTANT_AT, WIDE);
  text.chunk.copy(target, at + TEXT_AT, text.start, text.start + text.bytes);
  target.writeUInt32LE(checksum(target, at, end), at + CHECKSUM_AT);
  return end;
}

/**
 * Judges what stands at `at`. Bytes end where the file ends when `isLast`; otherwise more can be read.
 * Places are those of `bytes`.
 */
export function findRecord(bytes: Buffer, at: number, isLast: boolean): Finding {
  const available = bytes.length - at;
  if (available < TEXT_AT && !isLast) return { kind: 'incomplete', bytes: TEXT_AT };
  if (available < TEXT_AT || !hasMark(bytes, at)) return damageFrom(bytes, at, isLast);
  const textBytes = bytes.readUInt32LE(at + LENGTH_AT);
  if (textBytes > MAX_TEXT_BYTES) return damageFrom(bytes, at, isLast);
  const end = at + TEXT_AT + textBytes;
  if (end > bytes.length) {
    return isLast ? damageFrom(bytes, at, isLast) : { kind: 'incomplete', bytes: TEXT_AT + textBytes };
  }
  if (bytes.readUInt32LE(at + CHECKSUM_AT) !== checksum(bytes, at, end)) return damageFrom(bytes, at, isLast);
  const record = {
    number: bytes.readUIntLE(at + NUMBER_AT, WIDE),
    atEpochMs: bytes.readUIntLE(at + INSTANT_AT, WIDE),
    json: bytes.toString('utf8', at + TEXT_AT, end),
  };
  return { kind: 'record', record, end };
}

function damageFrom(bytes: Buffer, at: number, isLast: boolean): Finding {
  const next = bytes.indexOf(MARK, at + 1);
  // Unless the file ends there, the beginning of a mark may stand at the very end.
  const rest = isLast ? bytes.length : Math.max(at + 1, bytes.length - MARK.length + 1);
  return { kind: 'damage', hasMark: hasMark(bytes, at), end: next >= 0 ? next : rest };
}

function hasMark(bytes: Buffer, at: number): boolean {
  return at + MARK.length <= bytes.length && bytes.compare(MARK, 0, MARK.length, at, at + MARK.length) === 0;
}

function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + NUMBER_AT, end), checksumOfLength(bytes, at + LENGTH_AT));
}

/** CRC-32 of four bytes. For so few, calling the library costs more than the sum itself. */
function checksumOfLength(bytes: Buffer, at: number): number {
  let sum = 0xffff_ffff;
  for (let index = at; index < at + 4; index++) {
    sum = (CRC_OF_BYTE[(sum ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (sum >>> 8);
  }
  return (sum ^ 0xffff_ffff) >>> 0;
}

const CRC_OF_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb8_8320 : sum >>> 1;
  return sum;
});
