import type { Socket } from 'node:net';
import type { EventChannel, ReplyWaiter } from './events.ts';
import { pdkError } from './pdk.ts';
import type { Turn } from './turn.ts';

/** One connection as its events and calls see it. */
export interface Channel extends EventChannel {
  /** Nothing goes over the connection any more. */
  isClosed(): boolean;
  /** Hands the next reply, or the reason why there is none, to whoever waits for it; false when nobody does. */
  takeReply(reply: Buffer | Error): boolean;
  /** Closes the connection behind these frames. Whoever waits for a reply is told that none comes. */
  end(lastFrames?: Buffer): void;
}

/** All that is written leaves at the end of the turn, in order. */
export function createChannel(socket: Socket, turn: Turn): Channel {
  const waiters: ReplyWaiter[] = [];
  let isClosed = false;

  function close(): void {
    isClosed = true;
    for (const waiter of waiters.splice(0)) waiter(connectionLost());
  }

  // 'close' follows; what it means is the same whichever side went first, and why.
  socket.on('error', () => undefined);
  socket.on('close', close);
  return {
    isClosed: () => isClosed,
    write(frames) {
      if (!isClosed) turn.answer(() => socket.write(frames));
    },
    beforeAnswers: turn.beforeAnswers,
    expectReply(waiter) {
      if (isClosed) waiter(connectionLost());
      else waiters.push(waiter);
    },
    takeReply(reply) {
      const waiter = waiters.shift();
      if (waiter === undefined) return false;
      waiter(reply);
      return true;
    },
    end(lastFrames) {
      if (isClosed) return;
      turn.answer(() => (lastFrames === undefined ? socket.end() : socket.end(lastFrames)));
      close();
    },
  };
}

function connectionLost(): Error {
  return pdkError('the connection was closed before Kong had answered');
}
