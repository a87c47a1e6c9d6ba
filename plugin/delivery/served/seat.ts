import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../delivery/clock.ts';
import { codeOf } from '../spool/files.ts';

/**
 * The place of the one process that reads a gateway's log for all of its processes. It is a socket of a name that two
 * cannot have; the others connect to it, and try to be the next when it is gone.
 */
export interface Seat {
  /** Gives the place to another. */
  leave(): void;
}

export interface SeatOptions {
  /** Whoever has the same wants the same place. */
  readonly name: string;
  readonly clock: Clock;
  /** Told once, when the place is this process's. */
  readonly onSeated: () => void;
  /** Told when there is no way to find out whose it is. */
  readonly onTrouble: (code: string) => void;
}

/** The one who has it is gone, or not quite there yet. */
const TRY_AGAIN_MS = 1000;
/** Of one gateway: workers, and those of reloads that have not ended yet. */
const MAX_OTHERS = 256;

export function takeSeat({ name, clock, onSeated, onTrouble }: SeatOptions): Seat {
  // In Linux's abstract namespace, that of the network: the name goes with its owner, however that ends.
  const path = `\0metering-served-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const others = new Set<Socket>();
  let seated: Server | undefined;
  let link: Socket | undefined;
  let hasLeft = false;

  function seek(): void {
    if (hasLeft) return;
    const server = createServer((socket) => {
      others.add(socket.unref());
      // Nobody has anything to say: whoever does is a stranger.
      socket.on('data', () => socket.destroy());
      // 'close' follows.
      socket.on('error', () => undefined);
      socket.on('close', () => others.delete(socket));
    }).unref();
    server.maxConnections = MAX_OTHERS;
    server.on('error', (error) => {
      if (seated === server) return;
      if (codeOf(error) === 'EADDRINUSE') return wait();
      onTrouble(codeOf(error));
      seekLater();
    });
    server.listen(path, () => {
      seated = server;
      if (hasLeft) server.close();
      else onSeated();
    });
  }

  function seekLater(): void {
    clock.setTimer(seek, TRY_AGAIN_MS, { background: true });
  }

  function wait(): void {
    link = connect(path).unref().resume();
    // 'close' follows.
    link.on('error', () => undefined);
    link.on('close', seekLater);
  }

  seek();
  return {
    leave() {
      hasLeft = true;
      link?.destroy();
      seated?.close();
      for (const socket of others) socket.destroy();
    },
  };
}
