import type { IdentityHash } from './identity-hash.ts';

/**
 * A blocked Bloom filter: all bits of an entry lie in one block of 64 bytes, so a test touches one line of the cache.
 * With 16 bits an entry about one test in a thousand says "perhaps" for nothing.
 */
export interface BloomFilter {
  add(high: number, low: number): void;
  mayHave(hash: IdentityHash): boolean;
  /** What `openBloomFilter` takes. */
  readonly bytes: Uint8Array;
}

const BITS_PER_ENTRY = 16;
const WORDS_PER_BLOCK = 16;
const PROBES = 6;

export function createBloomFilter(entries: number): BloomFilter {
  const blocks = Math.max(1, Math.ceil((entries * BITS_PER_ENTRY) / (WORDS_PER_BLOCK * 32)));
  return overWords(new Uint32Array(blocks * WORDS_PER_BLOCK));
}

/** @param bytes of a filter that was made on a machine of the same byte order */
export function openBloomFilter(bytes: Uint8Array): BloomFilter {
  // A copy: the bytes may stand at any offset of a larger buffer.
  return overWords(new Uint32Array(bytes.slice().buffer));
}

function overWords(words: Uint32Array): BloomFilter {
  const blocks = words.length / WORDS_PER_BLOCK;
  // The upper half chooses the block, by multiplication instead of a division.
  const blockStart = (high: number): number => Math.floor((high / 0x100000000) * blocks) * WORDS_PER_BLOCK;
  return {
    bytes: new Uint8Array(words.buffer),
    add(high, low) {
      const start = blockStart(high);
      const step = Math.imul(low, 0x9e3779b1) | 1;
      for (let probe = 0, bits = low; probe < PROBES; probe++, bits = (bits + step) | 0) {
        const bit = bits >>> 23;
        const word = start + (bit >>> 5);
        words[word] = (words[word] as number) | (1 << (bit & 31));
      }
    },
    mayHave({ high, low }) {
      const start = blockStart(high);
      const step = Math.imul(low, 0x9e3779b1) | 1;
      for (let probe = 0, bits = low; probe < PROBES; probe++, bits = (bits + step) | 0) {
        const bit = bits >>> 23;
        if (((words[start + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false;
      }
      return true;
    },
  };
}
