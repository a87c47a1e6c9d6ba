import { createServer } from 'node:net';
import { systemClock } from '../delivery/clock.ts';
import type { Command } from './command-line.ts';
import type { Ending } from './ending.ts';
import { createFleet } from './fleet.ts';
import { createInstanceTable } from './instances.ts';
import { type ListeningPath, listenAt } from './listening.ts';
import type { Reports } from './reports.ts';
import type { SharedInstance } from './worker-messages.ts';

/**
 * Serves one socket from several processes. This one accepts the connections, hands them out and knows the instances;
 * the workers do the rest. Resolves when it listens.
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
  const fleet = createFleet({
    size: command.workers,
    args,
    reports,
    teach(worker) {
      // Before any connection, since messages arrive in their order.
      for (const [id, instance] of table.entries()) void worker.open(id, instance);
    },
    requests: { start, stop },
  });

  async function start(configJson: string): Promise<number | undefined> {
    const instance = { configJson, startedAtSeconds: Math.floor(systemClock.epochMs() / 1000) };
    const { id, evictedId } = table.add(instance);
    if (evictedId !== undefined) void fleet.askAll((worker) => worker.close(evictedId));
    if (await fleet.askAll((worker) => worker.open(id, instance))) return id;
    await stop(id);
    return undefined;
  }

  async function stop(id: number): Promise<boolean> {
    const wasThere = table.delete(id);
    await fleet.askAll((worker) => worker.close(id));
    return wasThere;
  }

  const server = createServer({ pauseOnConnect: true }, fleet.handOver);
  let path: ListeningPath | undefined;
  let isEnding = false;
  ending.onRequest(
    async () => {
      isEnding = true;
      path?.release();
      server.close();
      await fleet.end();
    },
    () => path?.orphanUse(fleet.connectionCount()) ?? 'none',
  );
  await fleet.start();
  if (isEnding) return;
  path = await listenAt(server, command.socket);
  process.on('exit', path.release);
  server.on('error', (error) => reports.failed('connections could not be accepted', error));
  reports.info('the plugin server listens', { workers: command.workers });
}
