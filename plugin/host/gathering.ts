import type { Clock } from '../../delivery/clock.ts';

/**
 * A pause between two turns, in which what Kong says gathers: it is then read, stored and answered at once. Most of what an
 * event costs the gateway is waking up for its pieces, some six times on both sides, and what Kong sends to a process that
 * does not wait for it wakes nobody.
 */
export interface Gathering {
  /** A connection has come. They are handed over one a turn, so that more may be on their way. */
  connected(): void;
  /** To be called when the answers of a turn have left. */
  afterAnswers(answers: number): void;
}

export interface GatheringOptions {
  readonly clock: Clock;
  /** The plugin has work that does not come from Kong, and that a pause would hold up. */
  readonly isBehind?: (() => boolean) | undefined;
  /** Holds this thread up. */
  readonly pause?: (forMs: number) => void;
}

/**
 * An event waits twice, for this long at most. It takes a timer of Kong's for so long, of which a worker runs 4,096 at a
 * time, and a connection, of which it keeps 30 open: at 3,500 requests a second of one worker it needs no more.
 */
const GATHERING_MS = 5;
/** With so many answers there is enough to do, and a longer turn does not save anything. */
const ENOUGH_ANSWERS = 24;
/** No pauses for so long after a connection has come. */
const CONNECTING_MS = 20;

/** Only for a server whose answers no client waits for. */
export function createGathering({ clock, isBehind, pause = holdUp }: GatheringOptions): Gathering {
  let connectedAt = Number.NEGATIVE_INFINITY;
  return {
    connected() {
      connectedAt = clock.now();
    },
    afterAnswers(answers) {
      if (answers >= ENOUGH_ANSWERS || clock.now() - connectedAt < CONNECTING_MS || isBehind?.() === true) return;
      pause(GATHERING_MS);
    },
  };
}

const NOBODY = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Nothing of this process runs meanwhile but its other threads: with a timer, each piece would wake it. */
function holdUp(forMs: number): void {
  Atomics.wait(NOBODY, 0, 0, forMs);
}
