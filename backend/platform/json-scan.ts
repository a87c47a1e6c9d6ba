/** What a look at the bytes of a JSON text tells before anything is made of it. */
export type JsonScan =
  | { problem: 'nested too deeply' | 'too many values' | 'too many keys' }
  | {
      /** Where number literals begin and end (exclusive) that a double may not hold, one after the other. */
      longNumbers: readonly number[];
    };

export interface ScanBounds {
  /** Objects and lists within one another. */
  maxDepth: number;
  /** Values of all lists and objects together. */
  maxValues?: number | undefined;
  /** Entries of the outermost list. */
  maxItems?: number | undefined;
  /** Keys of one object: checking each of them costs more than parsing it. */
  maxKeys?: number | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;

/** A literal with fewer characters has at most 15 digits. */
const LONG = 16;

/**
 * Bounds what parsing may cost: ten million brackets are found to be too many at the 65th, where a parser would make ten
 * million lists first. Says nothing of whether the text is JSON: what it overlooks in one that is not, the parser finds.
 */
export function scanJson(bytes: Uint8Array, bounds: ScanBounds): JsonScan {
  const { maxDepth, maxValues = Number.POSITIVE_INFINITY, maxItems = Number.POSITIVE_INFINITY } = bounds;
  const { maxKeys = Number.POSITIVE_INFINITY } = bounds;
  const longNumbers: number[] = [];
  /** Of what is open, by depth: the keys of an object so far; lists begin so low that they never have too many. */
  const keys = new Float64Array(maxDepth + 2);
  let depth = 0;
  let values = 0;
  let items = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfText(bytes, at);
    else if (byte === COMMA) {
      if (++values > maxValues || (depth === 1 && ++items > maxItems)) return { problem: 'too many values' };
      keys[depth] = (keys[depth] ?? 0) + 1;
      if ((keys[depth] ?? 0) > maxKeys) return { problem: 'too many keys' };
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth) return { problem: 'nested too deeply' };
      if (++values > maxValues) return { problem: 'too many values' };
      keys[depth] = byte === 0x7b ? 1 : Number.NEGATIVE_INFINITY;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === MINUS || isDigit(byte)) {
      const end = endOfNumber(bytes, at);
      if (end < 0) longNumbers.push(at, -end);
      at = Math.abs(end) - 1;
    }
  }
  return { longNumbers };
}

function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** @returns the end of the literal; negative where a double may not hold it */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  let hasExponent = false;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x65 || byte === 0x45) hasExponent = true;
    else if (!isDigit(byte) && byte !== 0x2e && byte !== MINUS && byte !== 0x2b) break;
  }
  return hasExponent || at - start >= LONG ? -at : at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
