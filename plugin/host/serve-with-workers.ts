import { createServer } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import { type Accepting, createAccepting } from './accepting.ts';
import type { Command } from './command-line.ts';
import { readHostConfig } from './config.ts';
import type { Ending } from './ending.ts';
import { createFleet, type Fleet, type FleetOptions } from './fleet.ts';
import { createInstanceTable } from './instances.ts';
import type { Keeper } from './keeper.ts';
import { BACKLOG, bindTo, FOREIGN_PATH, type ListeningPath } from './listening.ts';
import { handleOf, handleOfDescriptor, type ListeningHandle } from './listening-handle.ts';
import type { Reports } from './reports.ts';
import type { SharedInstance } from './worker-messages.ts';
import type { Listener } from './worker-process.ts';

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
  const fleet = createTeachingFleet({
    size: command.workers,
    args,
    reports,
    onOutput: keeper?.keeper.log,
    onRoom: () => accepting?.look(),
  });
  let accepting: Accepting | undefined;
  let path: ListeningPath | undefined;
  let isEnding = false;
  ending.onRequest(
    async () => {
      isEnding = true;
      path?.release();
      accepting?.close();
      await fleet.end();
    },
    () => path?.orphanUse(fleet.connectionCount()) ?? 'none',
    () => retire(fleet, accepting),
  );
  await fleet.start();
  if (isEnding) return;
  const { activatedSocket } = readHostConfig(process.pid);
  path = await (activatedSocket === undefined
    ? listenAt(command.socket, fleet)
    : listenWith(handleOfDescriptor(activatedSocket), fleet));
  process.on('exit', path.release);
  accepting = createAccepting({
    clock: systemClock,
    copy: fleet.copy,
    room: fleet.room,
    take: fleet.handOver,
    failed: (error) => reports.failed('connections could not be accepted', error),
    backlog: BACKLOG,
  });
  await keeper?.keeper.start(command.socket, keeper.identity, fleet.connectionCount, ending);
  reports.info('the plugin server listens', { workers: command.workers, protocol: command.protocol });
}

/** Has the workers give copies of a socket at this path, before anybody can connect to it; none of them accepts. */
async function listenAt(path: string, fleet: Fleet): Promise<ListeningPath> {
  const server = createServer();
  const bound = await bindTo(server, path);
  const listener: Listener = { handle: handleOf(server), place: bound.place };
  fleet.share(listener);
  // Nobody accepts with it: it keeps the socket open, whatever becomes of the others.
  listener.handle = await fleet.copy();
  const published = bound.publish();
  server.close();
  return published;
}

/** The same with a socket whose connections wait in the kernel while nobody serves it, so that a restart costs none of them. */
async function listenWith(handle: ListeningHandle, fleet: Fleet): Promise<ListeningPath> {
  fleet.share({ handle, place: undefined });
  return FOREIGN_PATH;
}

function createTeachingFleet(options: Omit<FleetOptions, 'teach' | 'requests'>): Fleet {
  const table = createInstanceTable<SharedInstance>();
  const fleet = createFleet({
    ...options,
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

async function retire(fleet: Fleet, accepting: Accepting | undefined): Promise<void> {
  const until = systemClock.now() + RETIRED_WITHIN_MS;
  fleet.retire();
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    // Those that connected before the successor did may still wait to be accepted.
    const isLeft = accepting?.isQuiet() !== false && fleet.connectionCount() === 0;
    if (isLeft || systemClock.now() >= until) resolve();
    else systemClock.setTimer(look, LOOK_MS);
  };
  look();
  await promise;
}
