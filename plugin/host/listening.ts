import { randomBytes } from 'node:crypto';
import { accessSync, constants, lstatSync, renameSync, type Stats, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { OrphanUse } from './ending.ts';
import { plainError } from './reports.ts';

/**
 * Connections that the kernel holds until they are accepted; to one more, Kong's connect fails and the event is lost
 * (Node's default is 511). The kernel cuts the number to net.core.somaxconn, which is 4096 since Linux 5.4 and 128
 * before. It is as high as the kernel ever takes it, so that somaxconn alone decides: 4096 is one Kong worker with all
 * the timers that it may run at a time (lua_max_running_timers).
 */
export const BACKLOG = 65_535;

/** The kernel's room for the path of a socket, without its end mark; Node would use a longer one cut off. */
const MAX_PATH_BYTES = 107;

/**
 * Connections that are served at a time: 16 Kong workers with all the timers that each may run. A connection more would
 * cost others their memory.
 */
export const MAX_CONNECTIONS = 65_536;

/** Where a listening socket is in the file system, and which one it is: a path outlives those who listen at it. */
export interface ListenerPlace {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** A socket path that a server listens at. */
export interface ListeningPath {
  /** What the server is good for once its parent is gone, which depends on the connections that it has. */
  orphanUse(connections: number): OrphanUse;
  /** Removes the path, unless another server has taken it over meanwhile. Once gone, does nothing. */
  release(): void;
}

/** A server that listens already, under a name that nobody knows. */
export interface BoundPath {
  readonly place: ListenerPlace;
  /** Gives it its name. */
  publish(): ListeningPath;
}

/**
 * Listens under a name that nobody knows and then renames it over the path: at no moment is the path without somebody
 * who listens. A server that listened there before keeps its connections and gets no new ones.
 * @throws Error that says why the path cannot be listened at
 */
export async function listenAt(server: Server, path: string): Promise<ListeningPath> {
  return (await bindTo(server, path)).publish();
}

/** The first half of it. @throws Error that says why the path cannot be listened at */
export async function bindTo(server: Server, path: string): Promise<BoundPath> {
  const target = resolve(path);
  const folder = dirname(target);
  const newName = (): string => join(folder, `.${randomBytes(4).toString('hex')}`);
  const temporary = newName();
  for (const name of [target, temporary]) {
    if (Buffer.byteLength(name) > MAX_PATH_BYTES) {
      throw plainError(
        `the path of the socket has more than the ${MAX_PATH_BYTES} bytes that the system allows: ${name}`,
      );
    }
  }
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw plainError(`there is no folder ${folder} for the socket`);
  }
  if (statusOf(target)?.isSocket() === false) throw plainError(`${target} exists and is no socket`);
  const obstacle = whyNotWritable(folder);
  if (obstacle !== undefined) throw plainError(obstacle);
  const { promise: listening, resolve: listens, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ path: temporary, backlog: BACKLOG }, listens);
  await listening;
  server.off('error', reject);
  server.maxConnections = MAX_CONNECTIONS;
  const { dev: device, ino: inode } = lstatSync(temporary);
  const place = { path: target, device, inode };
  return {
    place,
    publish() {
      renameSync(temporary, target);
      return {
        orphanUse: (connections) => useOf(place, connections),
        release() {
          if (isAt(target, place)) removeOwn(target, newName(), (path) => isAt(path, place));
        },
      };
    },
  };
}

/** The path of a socket that came from whoever started this process, such as systemd, who looks after it. */
export const FOREIGN_PATH: ListeningPath = {
  orphanUse: (connections) => (connections > 0 ? 'connected' : 'idle'),
  release: () => undefined,
};

/** What a server that listens there is good for. */
export function useOf(place: ListenerPlace, connections: number): OrphanUse {
  if (!isAt(place.path, place)) return 'none';
  return connections > 0 ? 'connected' : 'idle';
}

function isAt(path: string, { device, inode }: ListenerPlace): boolean {
  const current = statusOf(path);
  return current?.ino === inode && current.dev === device;
}

/**
 * A successor may take the path over between the look at it and the removal. Removed, it would leave Kong without any
 * server until somebody notices; moved aside, it is looked at once more and put back.
 */
function removeOwn(target: string, aside: string, isOwn: (path: string) => boolean): void {
  renameSync(target, aside);
  if (isOwn(aside)) unlinkSync(aside);
  else renameSync(aside, target);
}

/**
 * Why no socket can be made in a folder; undefined when one can. Kong goes on without a plugin server: its clients get
 * their answers, and nothing is metered.
 */
export function whyNotWritable(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    const user = userInfo().username;
    return (
      `the user ${user} may not write to ${folder}, where the socket belongs: nothing is metered until it may ` +
      `(chown ${user} ${folder}, or another folder for the socket)`
    );
  }
}

function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
