import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import { compressors } from 'hyparquet-compressors';
import { ObjectUnreadable } from './rows.ts';

type Compressors = typeof compressors;

/** What pages may unpack to for one slice of rows; some bytes can be made to unpack to gigabytes. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** These would give more than a page says it has; the others write into what was made for that. */
const BOUNDED: Compressors = {
  ...compressors,
  GZIP: (input, length) => unzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

/** All of one slice of rows may unpack to so much. */
export function boundedCompressors(): Compressors {
  let left = MAX_UNPACKED_BYTES;
  return Object.fromEntries(
    Object.entries(BOUNDED).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, outputLength: number) => {
        left -= outputLength;
        if (!(left >= 0)) throw new ObjectUnreadable(`has pages that unpack to more than ${MAX_UNPACKED_BYTES} bytes`);
        return unpack(input, outputLength);
      },
    ]),
  );
}
