import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import type { Socket } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import { WORKER_OPTION } from './command-line.ts';
import { HeldConnections, type LeftConnection } from './held-connections.ts';
import { readLines } from './lines.ts';
import type { ListenerPlace } from './listening.ts';
import { type ListeningHandle, sendable } from './listening-handle.ts';
import { Pulse } from './pulse.ts';
import { createRequests } from './requests.ts';
import type { ConnectionPast, SharedInstance, ToFirst, ToWorker } from './worker-messages.ts';

/** A worker, as the first process sees it. */
export interface WorkerProcess {
  /** Resolves with whether the worker has the instance; with true when it is gone, since then nobody asks it. */
  open(id: number, instance: SharedInstance): Promise<boolean>;
  /** Resolves when the worker has it no more. */
  close(id: number): Promise<boolean>;
  /** @param past with other workers; see inherited-connection.ts */
  serve(connection: Socket, past: ConnectionPast): void;
  /** Gives it the listening socket, for the time after this process and for `copy`. */
  inherit(listener: Listener): void;
  /** Resolves with a copy of the listening socket; with undefined when the worker is gone. */
  copy(): Promise<ListeningHandle | undefined>;
  /** Tells it that another worker is gone. */
  otherGone(): void;
  /** Has it close its connections, each in place of its next event. */
  retire(): void;
  /** Connections that it serves. */
  readonly connections: number;
  /** A connection is on its way to it: another one would wait in this process. */
  readonly isTaking: boolean;
  /** Resolves when the worker has finished what it had under way and is gone. */
  end(): Promise<void>;
}

/**
 * A socket that this process listens at, as its workers are to know it. They get the bare handle: sent as a server, they would
 * begin to accept at once.
 */
export interface Listener {
  handle: ListeningHandle;
  readonly place: ListenerPlace | undefined;
}

export interface WorkerEvents {
  onReady(): void;
  /** A connection that was on its way has arrived. */
  onTaken(): void;
  /** It has not answered for so long that it was killed; `onExit` follows. */
  onHung(): void;
  /**
   * @param hasGivenUp it ended by itself, or could not be started: nobody killed it
   * @param left its connections, for another worker
   */
  onExit(how: string, hasGivenUp: boolean, left: readonly LeftConnection[]): void;
  /** Kong asked the worker to start an instance; resolves with its id, or undefined when that failed. */
  start(configJson: string): Promise<number | undefined>;
  /** Kong asked the worker to close one; resolves with whether there was one. */
  stop(id: number): Promise<boolean>;
}

/**
 * A worker that has not answered for this long hangs, and so do its connections. Half of the minute for which Kong waits
 * for an answer: then the instance can still be started with the others.
 */
const ANSWER_WITHIN_MS = 30_000;

/**
 * Starts the program that runs here once more, as a worker.
 * @param readyWithinMs until then it may be silent: it loads the plugin
 * @param onOutput takes what it writes to standard error; undefined = it writes to this process's
 */
export function startWorkerProcess(
  args: readonly string[],
  events: WorkerEvents,
  readyWithinMs: number,
  onOutput?: (line: string) => void,
): WorkerProcess {
  const child = forkWorker(args, onOutput);
  const requests = createRequests<boolean>();
  const copies = createRequests<ListeningHandle | undefined>();
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  const held = new HeldConnections(() => events.onTaken());
  const pulse = new Pulse(() => tell(child, { kind: 'ping' }), killHung);
  const starting = systemClock.setTimer(killHung, readyWithinMs, { background: true });

  async function ask(message: (request: number) => ToWorker): Promise<boolean> {
    if (!child.connected) return true;
    const deadline = systemClock.setTimer(() => child.kill('SIGKILL'), ANSWER_WITHIN_MS);
    const isDone = await requests.send((request) => tell(child, message(request)));
    deadline.cancel();
    return isDone;
  }

  function killHung(): void {
    events.onHung();
    child.kill('SIGKILL');
  }

  function exited(how: string, hasGivenUp: boolean): void {
    starting.cancel();
    pulse.stop();
    requests.answerAll(true);
    copies.answerAll(undefined);
    const left = held.leave();
    isGone();
    events.onExit(how, hasGivenUp, left);
  }

  child.on('message', (message: ToFirst, handle: unknown) => {
    // Whatever it says, it lives: a question waits behind the connections that are on their way to it, which may be thousands.
    pulse.heard();
    if (message.kind === 'done') requests.answer(message.request, message.isDone);
    else if (message.kind === 'copy') copies.answer(message.request, handle as ListeningHandle | undefined);
    else if ('connection' in message) held.hear(message);
    else if (message.kind === 'pong') return;
    else if (message.kind === 'ready') {
      starting.cancel();
      pulse.begin();
      events.onReady();
    } else void answer(child, message, events);
  });
  child.on('exit', (code, signal) => exited(signal ?? `exit code ${code}`, signal === null));
  // Otherwise 'exit' follows.
  child.on('error', (error) => {
    if (child.pid === undefined) exited(error.message, true);
  });
  return {
    open: (id, instance) => ask((request) => ({ kind: 'open', request, id, ...instance })),
    close: (id) => ask((request) => ({ kind: 'close', request, id })),
    serve(connection, { isUsed, unanswered }) {
      const id = held.add({ connection, isUsed, unanswered });
      tell(child, { kind: 'serve', connection: id, isUsed, unanswered }, connection);
    },
    inherit: ({ handle, place }) => tell(child, { kind: 'listener', place }, sendable(handle)),
    copy: () => copies.send((request) => tell(child, { kind: 'copy', request })),
    otherGone: () => tell(child, { kind: 'other-gone' }),
    retire: () => tell(child, { kind: 'retire' }),
    get connections() {
      return held.count;
    },
    get isTaking() {
      return held.isAwaitingOne;
    },
    end() {
      child.kill('SIGTERM');
      return gone;
    },
  };
}

function forkWorker(args: readonly string[], onOutput: ((line: string) => void) | undefined): ChildProcess {
  const [, program = ''] = process.argv;
  const stderr = onOutput === undefined ? 'inherit' : 'pipe';
  // What ends its standard input is the end of this process; see watchFirst in worker.ts.
  const child = fork(program, [...args, WORKER_OPTION], { stdio: ['pipe', stderr, stderr, 'ipc'] });
  child.stdin?.on('error', () => undefined);
  if (onOutput !== undefined) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) readLines(stream, onOutput);
    }
  }
  return child;
}

async function answer(
  child: ChildProcess,
  message: ToFirst & { kind: 'start' | 'stop' },
  events: WorkerEvents,
): Promise<void> {
  const { request } = message;
  const id =
    message.kind === 'start' ? await events.start(message.configJson) : (await events.stop(message.id)) && message.id;
  tell(child, { kind: 'answer', request, ...(typeof id === 'number' && { id }) });
}

/** What cannot be sent was for a worker that is about to be replaced; its 'exit' does the rest. */
function tell(child: ChildProcess, message: ToWorker, handle?: SendHandle): void {
  child.send(message, handle, { keepOpen: true }, () => undefined);
}
