import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { systemClock } from '../delivery/clock.ts';
import { WORKER_OPTION } from './command-line.ts';
import { createRequests } from './requests.ts';
import type { SharedInstance, ToFirst, ToWorker } from './worker-messages.ts';

/** A worker, as the first process sees it. */
export interface WorkerProcess {
  /** Resolves with whether the worker has the instance; with true when it is gone, since then nobody asks it. */
  open(id: number, instance: SharedInstance): Promise<boolean>;
  /** Resolves when the worker has it no more. */
  close(id: number): Promise<boolean>;
  serve(connection: Socket): void;
  /** Connections that it serves. */
  readonly connections: number;
  /** Resolves when the worker has finished what it had under way and is gone. */
  end(): Promise<void>;
}

export interface WorkerEvents {
  onReady(): void;
  onExit(how: string): void;
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

/** Starts the program that runs here once more, as a worker. */
export function startWorkerProcess(args: readonly string[], events: WorkerEvents): WorkerProcess {
  const [, program = ''] = process.argv;
  const child = fork(program, [...args, WORKER_OPTION], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const requests = createRequests<boolean>();
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  /** Handed over and not arrived yet; kept open here until then, since what a dying worker does not take is lost. */
  const onTheWay: Socket[] = [];
  let connections = 0;

  async function ask(message: (request: number) => ToWorker): Promise<boolean> {
    if (!child.connected) return true;
    const deadline = systemClock.setTimer(() => child.kill('SIGKILL'), ANSWER_WITHIN_MS);
    const isDone = await requests.send((request) => tell(child, message(request)));
    deadline.cancel();
    return isDone;
  }

  function exited(how: string): void {
    requests.answerAll(true);
    // Kong would wait for those for which there was no time. Closed, it connects again.
    for (const connection of onTheWay) connection.destroy();
    isGone();
    events.onExit(how);
  }

  child.on('message', (message: ToFirst) => {
    if (message.kind === 'done') requests.answer(message.request, message.isDone);
    else if (message.kind === 'arrived') onTheWay.shift()?.destroy();
    else if (message.kind === 'ended') connections--;
    else if (message.kind === 'ready') events.onReady();
    else void answer(child, message, events);
  });
  child.on('exit', (code, signal) => exited(signal ?? `exit code ${code}`));
  // Otherwise 'exit' follows.
  child.on('error', (error) => {
    if (child.pid === undefined) exited(error.message);
  });
  return {
    open: (id, instance) => ask((request) => ({ kind: 'open', request, id, ...instance })),
    close: (id) => ask((request) => ({ kind: 'close', request, id })),
    serve(connection) {
      connections++;
      onTheWay.push(connection);
      tell(child, { kind: 'serve' }, connection);
    },
    get connections() {
      return connections;
    },
    end() {
      child.kill('SIGTERM');
      return gone;
    },
  };
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
function tell(child: ChildProcess, message: ToWorker, connection?: Socket): void {
  child.send(message, connection, { keepOpen: true }, () => undefined);
}
