import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { systemClock } from '../delivery/clock.ts';
import { WORKER_OPTION } from './command-line.ts';
import type { ToFirst, ToWorker } from './worker-messages.ts';

/** A worker, as the first process sees it. */
export interface WorkerProcess {
  /** Resolves with whether the worker has the instance; with true when it is gone, since then nobody asks it. */
  open(id: number, instance: { readonly configJson: string; readonly startedAtSeconds: number }): Promise<boolean>;
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
  /** Acknowledgements that are waited for, by what is acknowledged. */
  const waiting = new Map<string, (isDone: boolean) => void>();
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  let hasExited = false;
  let connections = 0;

  function ask(message: ToWorker, acknowledgement: string): Promise<boolean> {
    if (hasExited) return Promise.resolve(true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const deadline = systemClock.setTimer(() => child.kill('SIGKILL'), ANSWER_WITHIN_MS);
    waiting.set(acknowledgement, (isDone) => {
      deadline.cancel();
      resolve(isDone);
    });
    tell(message);
    return promise;
  }

  function settle(acknowledgement: string, isDone: boolean): void {
    waiting.get(acknowledgement)?.(isDone);
    waiting.delete(acknowledgement);
  }

  /** What cannot be sent was for a worker that is about to be replaced. */
  function tell(message: ToWorker, connection?: Socket): void {
    child.send(message, connection, {}, (error) => {
      if (error !== null) connection?.destroy();
    });
  }

  child.on('message', (message: ToFirst) => {
    switch (message.kind) {
      case 'ready':
        return events.onReady();
      case 'ended':
        connections--;
        return;
      case 'opened':
      case 'closed':
        return settle(`${message.kind} ${message.id}`, message.isDone);
      case 'start':
        return void events
          .start(message.configJson)
          .then((id) => tell({ kind: 'answer', request: message.request, ...(id !== undefined && { id }) }));
      case 'stop':
        return void events
          .stop(message.id)
          .then((was) => tell({ kind: 'answer', request: message.request, ...(was && { id: message.id }) }));
    }
  });
  function exited(how: string): void {
    hasExited = true;
    for (const acknowledgement of [...waiting.keys()]) settle(acknowledgement, true);
    isGone();
    events.onExit(how);
  }

  child.on('exit', (code, signal) => exited(signal ?? `exit code ${code}`));
  // Otherwise 'exit' follows.
  child.on('error', (error) => {
    if (child.pid === undefined) exited(error.message);
  });
  return {
    open: (id, { configJson, startedAtSeconds }) =>
      ask({ kind: 'open', id, configJson, startedAtSeconds }, `opened ${id}`),
    close: (id) => ask({ kind: 'close', id }, `closed ${id}`),
    serve(connection) {
      connections++;
      tell({ kind: 'serve' }, connection);
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
