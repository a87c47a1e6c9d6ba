import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../delivery/clock.ts';
import { acceptWith, type ListeningHandle } from './listening-handle.ts';

/**
 * Accepts connections no faster than they are taken over. A connection that has been accepted and waits in this process is
 * lost with it, and the event that Kong tells of over it; in the kernel it is safe, as long as any process holds the
 * listening socket. Node cannot pause a listening socket, it can only close it: so it is closed behind a connection, and the
 * next is accepted with another copy of it.
 */
export interface Accepting {
  /** To be called when there may be room for a connection. */
  look(): void;
  /** Whether nobody has been waiting to be accepted since the last time that this was asked. */
  isQuiet(): boolean;
  close(): void;
}

/** `taken`: the next connection leaves this process at once. `waits`: it would have to wait in it. */
export type Room = 'taken' | 'waits' | 'none';

export interface AcceptingOptions {
  readonly clock: Clock;
  /** Resolves with another copy of the listening socket. */
  readonly copy: () => Promise<ListeningHandle>;
  readonly room: () => Room;
  readonly take: (connection: Socket) => void;
  readonly failed: (error: Error) => void;
  readonly backlog: number;
}

/**
 * Who has not taken a connection over by then hangs, or is starved. The kernel holds a few thousand connections, and refuses
 * one more: from then on they wait here.
 */
const PATIENCE_MS = 2000;
/** Copies in stock: the next connection does not wait until one has come. */
const MAX_COPIES = 2;

export function createAccepting({ clock, copy, room, take, failed, backlog }: AcceptingOptions): Accepting {
  const copies: ListeningHandle[] = [];
  let copiesToCome = 0;
  /** The one that accepts. */
  let open: ListeningHandle | undefined;
  let patience: Timer | undefined;
  let isImpatient = false;
  let wasQuiet = false;
  let isClosed = false;

  function fill(): void {
    for (; !isClosed && copies.length + copiesToCome < MAX_COPIES; copiesToCome++) {
      void copy().then((handle) => {
        copiesToCome--;
        if (isClosed) handle.close();
        else copies.push(handle);
        look();
      });
    }
  }

  /** Whether a connection is to be accepted now. */
  function mayAccept(): boolean {
    const now = room();
    if (now === 'taken') {
      patience?.cancel();
      patience = undefined;
      isImpatient = false;
    } else {
      patience ??= clock.setTimer(becomeImpatient, PATIENCE_MS, { background: true });
    }
    return now === 'taken' || (now === 'waits' && isImpatient);
  }

  function becomeImpatient(): void {
    isImpatient = true;
    look();
  }

  function accepted(connection: Socket): void {
    wasQuiet = false;
    take(connection);
    look();
  }

  function closeOpen(): void {
    wasQuiet = false;
    open?.close();
    open = undefined;
  }

  function look(): void {
    if (isClosed) return;
    if (!mayAccept()) {
      closeOpen();
      return;
    }
    if (open !== undefined) return;
    open = copies.shift();
    fill();
    if (open !== undefined) acceptWith(open, backlog, accepted, failed);
  }

  fill();
  return {
    look,
    isQuiet() {
      const was = wasQuiet;
      wasQuiet = open !== undefined;
      return was;
    },
    close() {
      isClosed = true;
      patience?.cancel();
      for (const handle of copies.splice(0)) handle.close();
      closeOpen();
    },
  };
}
