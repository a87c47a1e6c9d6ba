import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './files.ts';

/**
 * A folder's owner listens on a socket in it for as long as it lives: the kernel refuses connections from the moment
 * that the process is gone, however it went, and in every container that sees the folder. A process id would mean
 * nothing in another container, and would soon be somebody else's.
 */
export const SOCKET = 'owner.sock';

/** Proof that somebody owns a folder. */
export interface Ownership {
  /** Gives the folder up. Resolves when others see that. */
  end(): Promise<void>;
}

/**
 * Makes the calling process the owner of a folder that nobody else knows yet. The folder may be renamed afterwards.
 * @param processId of the owner
 * @throws the system's error
 */
export function own(folder: string, processId: string): Ownership {
  const handle = openFolder(folder);
  const server = createServer((socket) => socket.destroy());
  // Its only task is to be there: an error when a connection is accepted changes nothing.
  server.on('error', () => undefined);
  server.listen(socketPath(handle, processId));
  if (!server.listening) {
    closeSync(handle);
    throw new Error(`cannot listen in ${folder}`);
  }
  server.unref();
  return {
    end: () =>
      new Promise((resolve) => {
        server.close(() => {
          closeSync(handle);
          resolve();
        });
      }),
  };
}

/** Whether the folder's owner lives. When in doubt it does: two processes must never work on one folder. */
export async function isOwned(folder: string, processId: string): Promise<boolean> {
  let handle: number;
  try {
    handle = openFolder(folder);
  } catch {
    // Somebody else has taken it meanwhile, or it is not for us to look into.
    return true;
  }
  try {
    return await answers(socketPath(handle, processId));
  } finally {
    closeSync(handle);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = codeOf(error);
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function openFolder(folder: string): number {
  return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** The path of a socket may have some hundred bytes only, so it goes by way of the open folder where that is possible. */
function socketPath(folderHandle: number, processId: string): string {
  if (process.platform === 'linux') return `/proc/self/fd/${folderHandle}/${SOCKET}`;
  return join(tmpdir(), `metering-${processId}.sock`);
}

/** Names the running kernel: the same in all containers of a machine, another after each start. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'none';
  }
}
