import { createServer } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import type { Command } from './command-line.ts';
import { readHostConfig } from './config.ts';
import type { Ending } from './ending.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { createInstanceTable } from './instances.ts';
import type { Keeper } from './keeper.ts';
import { type ListeningPath, listenAt, listenWith } from './listening.ts';
import type { Reports } from './reports.ts';
import type { SharedInstance } from './worker-messages.ts';

/**
 * Serves one socket from several processes. This one accepts the connections, hands them out and knows the instances;
 * the workers do the rest. Each watches the other: a worker that dies or hangs is replaced while its connections wait,
 * and when this process dies its workers listen until a successor does. Resolves when it listens.
 * @param args the command line, for the workers
 * @param keeper of a server that lives on across Kong's restarts
 * @throws Error when a worker cannot be started, or the path cannot be listened at
 */
export async function serveWithWorkers(
  command: Command & { kind: 'serve' },
  args: readonly string[],
  ending: Ending,
  reports: Reports,
  keeper?: { readonly keeper: Keeper; readonly identity: string },
): Promise<void> {
  const fleet = createTeachingFleet(command.workers, args, reports, keeper?.keeper.log);
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
    () => retire(fleet),
  );
  await fleet.start();
  if (isEnding) return;
  const { activatedSocket } = readHostConfig(process.pid);
  path = await (activatedSocket === undefined ? listenAt(server, command.socket) : listenWith(server, activatedSocket));
  if (path.place !== undefined) fleet.share({ server, place: path.place });
  process.on('exit', path.release);
  server.on('error', (error) => reports.failed('connections could not be accepted', error));
  await keeper?.keeper.start(command.socket, keeper.identity, fleet.connectionCount, ending);
  reports.info('the plugin server listens', { workers: command.workers, protocol: command.protocol });
}

function createTeachingFleet(
  size: number,
  args: readonly string[],
  reports: Reports,
  onOutput: ((line: string) => void) | undefined,
): Fleet {
  const table = createInstanceTable<SharedInstance>();
  const fleet = createFleet({
    size,
    args,
    reports,
    onOutput,
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

  return fleet;
}

/** Kong closes what it has not used for a minute (lua_socket_keepalive_timeout). */
const RETIRED_WITHIN_MS = 65_000;
const LOOK_MS = 100;

async function retire(fleet: Fleet): Promise<void> {
  const until = systemClock.now() + RETIRED_WITHIN_MS;
  fleet.retire();
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (fleet.connectionCount() === 0 || systemClock.now() >= until) resolve();
    else systemClock.setTimer(look, LOOK_MS);
  };
  // Those that connected before the successor did are accepted in the turns to come.
  systemClock.setTimer(look, LOOK_MS);
  await promise;
}
