import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../../delivery/clock.ts';
import type { Protocol } from './plugin-module.ts';
import { beginsCall } from './rpc-messages.ts';

/**
 * Kong has sent something by then over a connection that it uses. Under load its pool gives the one used last, so what
 * has been silent for so long is either not needed, or waits for an answer that died with another worker.
 */
const SILENT_MS = 1000;

/**
 * Silent connections end one by one: the next when Kong has closed the one before, which it does at once with one that it
 * does not use, or after this long, when an event was under way over it. Ended together, they would cost events: Kong
 * begins an event anew by starting the instance over a connection of its pool, and gives it up when that one has ended
 * as well without its having noticed. The 256 that a worker of Kong keeps end within what it waits for an answer, a minute.
 */
const BETWEEN_ENDS_MS = 100;

/**
 * Whether these bytes begin a call of Kong; undefined = more are needed to tell. Over MsgPack:1 a call is a list of four.
 * Over ProtoBuf:1 it begins, behind its length, with the tag of its sequence number or of what it asks for: which comes
 * first differs from one worker of Kong to the next, with the order in which Lua goes through a table. An answer begins with
 * a field of a low number. Taken for an answer, a call that starts an instance would cost the event that it is for.
 */
const BEGINS_CALL: Readonly<Record<Protocol, (bytes: Buffer) => boolean | undefined>> = {
  'ProtoBuf:1': beginsCall,
  'MsgPack:1': (bytes) => bytes[0] === 0x94,
};

export interface HeirOptions {
  readonly protocol: Protocol;
  /** Takes a connection over with all its bytes. */
  readonly serve: (socket: Socket) => void;
  readonly clock?: Clock;
}

/**
 * Takes over the connections of a worker that has died. Nobody knows what was under way over them. A new call of Kong is
 * served as any other. Everything else is an answer to a question that nobody asks any more, or silence: then the
 * connection ends, on which Kong, over ProtoBuf:1, begins the event anew over another one. What is unread is read and
 * thrown away: a connection that is closed with bytes unread is an error to Kong, on which it gives the event up.
 */
export function createHeir({ protocol, serve, clock = systemClock }: HeirOptions): (socket: Socket) => void {
  const endOneByOne = createEnds(clock);
  return (socket) => {
    let read: Buffer = Buffer.alloc(0);
    let isSilent = true;
    const silence = clock.setTimer(() => endOneByOne(socket, () => isSilent), SILENT_MS, { background: true });
    // 'close' follows.
    const ignore = (): void => undefined;
    const take = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk]);
      const isCall = BEGINS_CALL[protocol](read);
      if (isCall === undefined) return;
      isSilent = false;
      silence.cancel();
      socket.off('data', take);
      if (!isCall) {
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
  };
}

/** Ends sockets in the order in which they are given, unless they are not silent any more by then. */
function createEnds(clock: Clock): (socket: Socket, isSilent: () => boolean) => void {
  const waiting: { readonly socket: Socket; readonly isSilent: () => boolean }[] = [];
  let isEnding = false;

  function next(): void {
    const due = waiting.shift();
    isEnding = due !== undefined;
    if (due === undefined) return;
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    if (due.socket.destroyed || !due.isSilent()) resolve();
    else due.socket.once('close', resolve).end();
    const timer = clock.setTimer(resolve, BETWEEN_ENDS_MS, { background: true });
    void isOver.then(() => {
      timer.cancel();
      next();
    });
  }

  return (socket, isSilent) => {
    waiting.push({ socket, isSilent });
    if (!isEnding) next();
  };
}
