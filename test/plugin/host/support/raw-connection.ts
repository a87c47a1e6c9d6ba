import { setImmediate as nextTurn } from 'node:timers/promises';
import { openSocket } from '../../../gateway-player/connection-pool.ts';

/** A connection on which a test writes what it wants. */
export interface RawConnection {
  write(bytes: Uint8Array): void;
  /** Resolves when the kernel has the bytes. */
  flush(bytes: Uint8Array): Promise<void>;
  /** Writes the bytes in pieces that end at these positions, each in a turn of its own. */
  writeSplit(bytes: Buffer, positions: readonly number[]): Promise<void>;
  /** All payloads received so far. */
  frames(): readonly Buffer[];
  /** Resolves with all payloads once there are this many; rejects when the server closes before. */
  received(count: number): Promise<readonly Buffer[]>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

export async function openRawConnection(socketPath: string): Promise<RawConnection> {
  const socket = await openSocket(socketPath);
  let bytes = Buffer.alloc(0);
  let isClosed = false;
  const waiting = new Set<() => void>();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (const check of waiting) check();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
    resolve();
    for (const check of waiting) check();
  });

  return {
    write: (written) => void socket.write(written),
    flush: (written) => new Promise((resolve) => socket.write(written, () => resolve())),
    async writeSplit(written, positions) {
      let start = 0;
      for (const end of [...positions, written.length]) {
        if (end > start) socket.write(written.subarray(start, end));
        start = Math.max(start, end);
        await nextTurn();
      }
    },
    frames: () => payloadsIn(bytes),
    received(count) {
      const { promise, resolve: done, reject } = Promise.withResolvers<readonly Buffer[]>();
      const check = (): void => {
        const frames = payloadsIn(bytes);
        if (frames.length < count && !isClosed) return;
        waiting.delete(check);
        if (frames.length >= count) done(frames);
        else reject(new Error(`closed after ${frames.length} of ${count} frames`));
      };
      waiting.add(check);
      check();
      return promise;
    },
    closed,
    close: () => socket.destroy(),
  };
}

/** The payloads of all frames that these bytes hold whole. */
export function payloadsIn(bytes: Buffer): readonly Buffer[] {
  const payloads: Buffer[] = [];
  for (let offset = 0; bytes.length - offset >= 4; ) {
    const end = offset + 4 + bytes.readUInt32LE(offset);
    if (end > bytes.length) break;
    payloads.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return payloads;
}
