import { codeOf, type SpoolFiles } from './files.ts';

/** What disks fail in: a bad sector costs its block, not the file. */
const BLOCK_BYTES = 4096;

/**
 * Reads like {@link SpoolFiles.read}, but where the disk gives an I/O error, block by block, with zeros in place of the
 * blocks that cannot be read: no record is found there, and the next one after it is.
 * @throws any other error of the system
 */
export async function readTolerantly(
  files: SpoolFiles,
  file: number,
  into: Buffer,
  bytes: number,
  position: number,
  onBadBlock: (error: unknown) => void,
): Promise<number> {
  try {
    return await files.read(file, into, bytes, position);
  } catch (error) {
    if (codeOf(error) !== 'EIO') throw error;
  }
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    const length = Math.min(BLOCK_BYTES, bytes - at);
    const block = into.subarray(at, at + length);
    try {
      const got = await files.read(file, block, length, position + at);
      if (got < length) return at + got;
    } catch (error) {
      if (codeOf(error) !== 'EIO') throw error;
      onBadBlock(error);
      block.fill(0);
    }
  }
  return bytes;
}
