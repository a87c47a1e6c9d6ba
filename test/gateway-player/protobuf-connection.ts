import type { Socket } from 'node:net';
import { openSocket, type PooledConnection } from './connection-pool.ts';

/** One connection to a plugin server that speaks `ProtoBuf:1`. */
export interface ProtobufConnection extends PooledConnection {
  /** Sends one frame as Kong does: its length, and then its payload. */
  send(payload: Uint8Array): void;
  /** The payload of the next frame; rejects when the server has closed the connection. */
  nextFrame(): Promise<Buffer>;
  /** @throws Error when the server has sent more than it was asked for; Kong would take it for its next answer */
  expectSilence(): void;
}

const LENGTH_BYTES = 4;

/** Rejects when nobody listens. */
export async function openProtobufConnection(socketPath: string): Promise<ProtobufConnection> {
  const socket = await openSocket(socketPath);
  const frames = readFrames(socket);
  return {
    isOpen: () => socket.writable && !socket.readableEnded,
    send(payload) {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(payload.length);
      socket.write(length);
      if (payload.length > 0) socket.write(payload);
    },
    nextFrame: () => frames.next(),
    expectSilence() {
      const byteCount = frames.unreadBytes();
      if (byteCount > 0) throw new Error(`the plugin server sent ${byteCount} bytes that nobody asked for`);
    },
    // Kong closes when the kernel has all that it sent; a large log entry may still be on its way to it here.
    close: () => socket.destroySoon(),
  };
}

interface Frames {
  next(): Promise<Buffer>;
  unreadBytes(): number;
}

function readFrames(socket: Socket): Frames {
  let unread: Buffer = Buffer.alloc(0);
  let end: Error | undefined;
  let wake: (() => void) | undefined;
  const close = (reason: string): void => {
    end ??= new Error(`the plugin server did not answer: ${reason}`);
    wake?.();
  };
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    wake?.();
  });
  socket.on('error', (error) => close(error.message));
  socket.on('close', () => close('it closed the connection'));

  async function take(byteCount: number): Promise<Buffer> {
    while (unread.length < byteCount) {
      if (end !== undefined) throw end;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const taken = unread.subarray(0, byteCount);
    unread = unread.subarray(byteCount);
    return taken;
  }

  return {
    next: async () => take((await take(LENGTH_BYTES)).readUInt32LE()),
    unreadBytes: () => unread.length,
  };
}
