import type { Socket } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import type { Room } from './accepting.ts';
import type { LeftConnection } from './held-connections.ts';
import { MAX_CONNECTIONS } from './listening.ts';
import type { ListeningHandle } from './listening-handle.ts';
import { plainError, type Reports } from './reports.ts';
import { type Listener, startWorkerProcess, type WorkerEvents, type WorkerProcess } from './worker-process.ts';

/** The workers that share a socket. One that dies is replaced. */
export interface Fleet {
  /** Starts the workers; resolves when all are ready, and never once they have to end. @throws Error when one cannot serve */
  start(): Promise<void>;
  /** To whoever has the fewest, and else in turn: Kong keeps its connections, so equal numbers are equal work. */
  handOver(connection: Socket): void;
  /** Of Kong, served or waiting for a worker. */
  connectionCount(): number;
  /** Whether a worker takes the next connection at once. */
  room(): Room;
  /** Resolves with a copy of the listening socket, once there is a worker that has it. */
  copy(): Promise<ListeningHandle>;
  /** Gives the listening socket to every worker; those that are yet to come get what its handle is then. */
  share(listener: Listener): void;
  /** Has the workers close their connections, each in place of its next event. */
  retire(): void;
  /** Asks every worker that serves; resolves with whether all said yes. */
  askAll(ask: (worker: WorkerProcess) => Promise<boolean>): Promise<boolean>;
  /** Lets the workers finish; resolves when the last is gone. */
  end(): Promise<void>;
}

/**
 * Connections that wait while no worker is ready to serve, after all of them have died. As many as the kernel would
 * hold: see the backlog of the socket.
 */
const MAX_WAITING_CONNECTIONS = 4096;

/**
 * A worker that is not ready by then hangs, or the machine is very busy: it needs some 0.2 s. So the next one gets twice
 * the time, up to the longest.
 */
const READY_WITHIN_MS = 15_000;
const LONGEST_START_MS = 240_000;

const COPY_AGAIN_MS = 100;

/** Kong, too, starts a plugin server at most once a second. */
const START_AGAIN_MS = 1000;

export interface FleetOptions {
  readonly size: number;
  /** The command line. */
  readonly args: readonly string[];
  readonly reports: Reports;
  /** Tells a new worker all that it has to know before it serves. */
  readonly teach: (worker: WorkerProcess) => void;
  readonly requests: Pick<WorkerEvents, 'start' | 'stop'>;
  /** There may be room for a connection. */
  readonly onRoom: () => void;
  /** Takes what workers write to standard error; without it they write to this process's. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

interface Members {
  /** Ready to serve, the one that was given a connection last at the end. */
  readonly ready: WorkerProcess[];
  readonly all: Set<WorkerProcess>;
  readonly waiting: LeftConnection[];
  listener: Listener | undefined;
  /** Resolves when the next worker is ready. */
  nextReady: PromiseWithResolvers<void>;
  isRetired: boolean;
  isEnding: boolean;
}

export function createFleet(options: FleetOptions): Fleet {
  const members: Members = {
    ready: [],
    all: new Set(),
    waiting: [],
    listener: undefined,
    nextReady: Promise.withResolvers<void>(),
    isRetired: false,
    isEnding: false,
  };
  const { promise: allReady, resolve: becameReady, reject: failed } = Promise.withResolvers<void>();

  function startWorker(readyWithinMs = READY_WITHIN_MS): void {
    const startedAt = systemClock.now();
    let wasReady = false;
    let isTooLate = false;
    const events: WorkerEvents = {
      ...options.requests,
      onReady() {
        wasReady = true;
        options.teach(worker);
        if (members.listener !== undefined) worker.inherit(members.listener);
        if (members.isRetired) worker.retire();
        members.ready.push(worker);
        for (const connection of members.waiting.splice(0)) handOver(members, connection);
        members.nextReady.resolve();
        members.nextReady = Promise.withResolvers();
        options.onRoom();
        // Not one earlier: Kong would keep all its connections with those who were ready first.
        if (members.ready.length === options.size) becameReady();
      },
      onTaken: options.onRoom,
      onHung() {
        isTooLate = !wasReady;
        const what = wasReady ? 'does not answer any more' : `is not ready after ${readyWithinMs / 1000} s`;
        options.reports.info(`a worker ${what} and is killed`);
      },
      onExit(how, hasGivenUp, left) {
        forget(members, worker);
        for (const other of members.ready) other.otherGone();
        for (const one of left) {
          if (members.isEnding) one.connection.destroy();
          else handOver(members, one);
        }
        options.onRoom();
        if (members.isEnding) return;
        // One that was killed says nothing of the next; one that gave up has said why, and would again.
        if (!wasReady && hasGivenUp) failed(plainError(`a worker could not be started: ${how}`));
        options.reports.info('a worker ended and is replaced', { how });
        const delayMs = Math.max(0, startedAt + START_AGAIN_MS - systemClock.now());
        const nextWithinMs = isTooLate ? Math.min(2 * readyWithinMs, LONGEST_START_MS) : READY_WITHIN_MS;
        systemClock.setTimer(() => members.isEnding || startWorker(nextWithinMs), delayMs);
      },
    };
    const worker = startWorkerProcess(options.args, events, readyWithinMs, options.onOutput);
    members.all.add(worker);
  }

  return {
    start() {
      for (let count = 0; count < options.size; count++) startWorker();
      return allReady;
    },
    handOver: (connection) => handOver(members, { connection, isUsed: false }),
    connectionCount: () => connectionCount(members),
    room: () => roomOf(members),
    copy: () => copyOf(members),
    askAll: async (ask) => (await Promise.all(members.ready.map(ask))).every(Boolean),
    share(listener) {
      members.listener = listener;
      for (const worker of members.ready) worker.inherit(listener);
    },
    retire() {
      members.isRetired = true;
      for (const worker of members.ready) worker.retire();
    },
    async end() {
      members.isEnding = true;
      for (const { connection } of members.waiting) connection.destroy();
      await Promise.all(Array.from(members.all, (worker) => worker.end()));
    },
  };
}

function connectionCount({ ready, waiting }: Members): number {
  return ready.reduce((sum, { connections }) => sum + connections, waiting.length);
}

function roomOf(members: Members): Room {
  const { ready, waiting } = members;
  if (connectionCount(members) >= MAX_CONNECTIONS || waiting.length >= MAX_WAITING_CONNECTIONS) return 'none';
  return nextOf(ready)?.isTaking === false ? 'taken' : 'waits';
}

async function copyOf(members: Members): Promise<ListeningHandle> {
  for (;;) {
    const [worker] = members.ready;
    if (worker === undefined) await members.nextReady.promise;
    const copy = await worker?.copy();
    if (copy !== undefined) return copy;
    // This process may open no more files.
    if (worker !== undefined) await new Promise<void>((resolve) => systemClock.setTimer(resolve, COPY_AGAIN_MS));
  }
}

/** The one that gets the next connection: of those with the fewest, the one that has waited longest. */
function nextOf(ready: readonly WorkerProcess[]): WorkerProcess | undefined {
  const fewest = Math.min(...ready.map(({ connections }) => connections));
  return ready.find(({ connections }) => connections === fewest);
}

function handOver({ ready, waiting }: Members, given: LeftConnection): void {
  const worker = nextOf(ready);
  if (worker !== undefined) {
    ready.push(...ready.splice(ready.indexOf(worker), 1));
    worker.serve(given.connection, given);
  } else if (waiting.push(given) > MAX_WAITING_CONNECTIONS) waiting.shift()?.connection.destroy();
}

function forget({ all, ready }: Members, worker: WorkerProcess): void {
  all.delete(worker);
  const index = ready.indexOf(worker);
  if (index >= 0) ready.splice(index, 1);
}
