import { createServer, type Socket } from 'node:net';
import { systemClock } from '../delivery/clock.ts';
import type { Command } from './command-line.ts';
import type { Ending } from './ending.ts';
import { createInstanceTable } from './instances.ts';
import { type ListeningPath, listenAt } from './listening.ts';
import type { Reports } from './reports.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** What a worker has to know of an instance to start it, too. */
interface SharedInstance {
  readonly configJson: string;
  readonly startedAtSeconds: number;
}

/**
 * Connections that wait while no worker is ready to serve, after all of them have died. As many as the kernel would
 * hold: see the backlog of the socket.
 */
const MAX_WAITING_CONNECTIONS = 4096;

/** Kong, too, starts a plugin server at most once a second. */
const START_AGAIN_MS = 1000;

/**
 * Serves one socket from several processes. This one accepts the connections, hands them out in turn and knows the
 * instances; the workers do the rest. Resolves when it listens.
 * @param args the command line, for the workers
 * @throws Error when a worker cannot be started, or the path cannot be listened at
 */
export async function serveWithWorkers(
  command: Command & { kind: 'serve' },
  args: readonly string[],
  ending: Ending,
  reports: Reports,
): Promise<void> {
  const table = createInstanceTable<SharedInstance>();
  const ready: WorkerProcess[] = [];
  const all = new Set<WorkerProcess>();
  const waiting: Socket[] = [];
  const { promise: allReady, resolve: becameReady, reject: failed } = Promise.withResolvers<void>();
  let isEnding = false;

  function startWorker(): void {
    const startedAt = systemClock.now();
    const worker = startWorkerProcess(args, {
      onReady() {
        // Before any connection, since messages arrive in their order.
        for (const [id, instance] of table.entries()) void worker.open(id, instance);
        ready.push(worker);
        for (const connection of waiting.splice(0)) handOver(connection);
        // Not one earlier: Kong would keep all its connections with those who were ready first.
        if (ready.length === command.workers) becameReady();
      },
      start: (configJson) => start(configJson),
      stop: (id) => stop(id),
      onExit(how) {
        all.delete(worker);
        const index = ready.indexOf(worker);
        if (index >= 0) ready.splice(index, 1);
        failed(new Error(`a worker ended before it was ready: ${how}`));
        if (isEnding) return;
        reports.info('a worker ended and is replaced', { how });
        const delayMs = Math.max(0, startedAt + START_AGAIN_MS - systemClock.now());
        systemClock.setTimer(() => isEnding || startWorker(), delayMs);
      },
    });
    all.add(worker);
  }

  /** To whoever has the fewest, and else in turn: Kong keeps its connections, so equal numbers are equal work. */
  function handOver(connection: Socket): void {
    const fewest = Math.min(...ready.map(({ connections }) => connections));
    const index = ready.findIndex(({ connections }) => connections === fewest);
    const [worker] = index < 0 ? [] : ready.splice(index, 1);
    if (worker !== undefined) {
      ready.push(worker);
      worker.serve(connection);
    } else if (waiting.push(connection) > MAX_WAITING_CONNECTIONS) waiting.shift()?.destroy();
  }

  async function start(configJson: string): Promise<number | undefined> {
    const instance = { configJson, startedAtSeconds: Math.floor(systemClock.epochMs() / 1000) };
    const { id, evictedId } = table.add(instance);
    if (evictedId !== undefined) for (const worker of ready) void worker.close(evictedId);
    const isOpen = await Promise.all(ready.map((worker) => worker.open(id, instance)));
    if (isOpen.every(Boolean)) return id;
    await stop(id);
    return undefined;
  }

  async function stop(id: number): Promise<boolean> {
    const wasThere = table.delete(id);
    await Promise.all(ready.map((worker) => worker.close(id)));
    return wasThere;
  }

  for (let count = 0; count < command.workers; count++) startWorker();
  const server = createServer({ pauseOnConnect: true }, handOver);
  let path: ListeningPath | undefined;
  ending.onRequest(async () => {
    isEnding = true;
    path?.release();
    server.close();
    for (const connection of waiting) connection.destroy();
    await Promise.all(Array.from(all, (worker) => worker.end()));
  });
  await allReady;
  if (isEnding) return;
  path = await listenAt(server, command.socket);
  process.on('exit', path.release);
  reports.info('the plugin server listens', { workers: command.workers });
}
