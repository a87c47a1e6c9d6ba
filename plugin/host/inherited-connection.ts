import type { Socket } from 'node:net';
import { systemClock } from '../delivery/clock.ts';
import type { Protocol } from './plugin-module.ts';

/**
 * Kong has sent something by then over a connection that it uses. Under load its pool gives the one used last, so what
 * has been silent for so long is either not needed, or waits for an answer that died with another worker.
 */
const SILENT_MS = 1000;

/** How a call begins: over ProtoBuf:1 its length and the tag of its sequence number, over MsgPack:1 a list of four. */
const BEGINNING: Readonly<Record<Protocol, { readonly at: number; readonly byte: number }>> = {
  'ProtoBuf:1': { at: 4, byte: 0x08 },
  'MsgPack:1': { at: 0, byte: 0x94 },
};

/**
 * Takes over a connection whose worker has died. Nobody knows what was under way over it. A new call of Kong is served
 * as any other. Everything else is an answer to a question that nobody asks any more, or silence: then the connection
 * ends, on which Kong, over ProtoBuf:1, begins the event anew over another one. What is unread is read and thrown away:
 * a connection that is closed with bytes unread is an error to Kong, on which it gives the event up.
 * @param serve takes the connection over with all its bytes
 */
export function takeOverConnection(socket: Socket, protocol: Protocol, serve: (socket: Socket) => void): void {
  const { at, byte } = BEGINNING[protocol];
  let read: Buffer = Buffer.alloc(0);
  const silence = systemClock.setTimer(() => socket.end(), SILENT_MS, { background: true });
  // 'close' follows.
  const ignore = (): void => undefined;
  const take = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk]);
    if (read.length <= at) return;
    silence.cancel();
    socket.off('data', take);
    if (read[at] !== byte) {
      socket.resume().end();
      return;
    }
    socket.pause().unshift(read);
    socket.off('error', ignore);
    serve(socket);
    socket.resume();
  };
  socket.on('error', ignore).on('data', take);
  socket.on('close', () => silence.cancel());
}
