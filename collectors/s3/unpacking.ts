import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ObjectUnreadable } from './rows.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * The bytes of an object, unpacked where they are gzip or zstd by their first bytes; names and headers are not believed, since
 * clients and servers on the way unpack, and do not.
 * @throws ObjectUnreadable when what is packed is cut off or broken
 */
export async function* unpacked(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const iterator = bytes[Symbol.asyncIterator]();
  const head = await firstBytes(iterator);
  const all = chained(head, iterator);
  const unpack = head.subarray(0, 2).equals(GZIP)
    ? createGunzip()
    : head.subarray(0, 4).equals(ZSTD)
      ? createZstdDecompress()
      : undefined;
  if (unpack === undefined) return yield* all;
  let sourceError: unknown;
  const source = Readable.from(all);
  source.on('error', (error) => {
    sourceError = error;
    unpack.destroy(error);
  });
  try {
    yield* source.pipe(unpack) as AsyncIterable<Buffer>;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw new ObjectUnreadable(
      `what is packed is cut off or broken: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    source.destroy();
    unpack.destroy();
  }
}

async function firstBytes(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < ZSTD.length) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return head;
}

async function* chained(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
