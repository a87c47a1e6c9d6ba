import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running plugin server. */
export interface PluginServer {
  readonly pid: number;
  readonly socketPath: string;
  /** Everything that it has written so far. Kong copies both into its error log. */
  stdout(): string;
  stderr(): string;
  /** SIGTERM, as Kong stops a plugin server; resolves when the process has ended by itself. */
  terminate(): Promise<Exit>;
  /** SIGKILL, as Kong ends what does not stop, and then to its workers, which would go on; resolves when all are gone. */
  kill(): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

/** Between two attempts to connect; the server needs some 200 ms to start. */
const CONNECT_AGAIN_MS = 5;

/** Follows a plugin server that has just been started. */
export function watch(child: ChildProcess, socketPath: string): PluginServer {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  // A test that fails must not leave a server behind.
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const { promise: exited, resolve, reject } = Promise.withResolvers<Exit>();
  child.once('error', reject);
  // 'close', not 'exit': by then everything that it wrote has been read.
  child.once('close', (code, signal) => {
    process.off('exit', killWithUs);
    resolve({ code, signal });
  });
  const stopWith = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid ?? -1,
    socketPath,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    terminate: () => stopWith('SIGTERM'),
    kill() {
      const workers = childrenOf(child.pid ?? -1);
      const gone = stopWith('SIGKILL');
      for (const pid of workers) process.kill(pid, 'SIGKILL');
      return gone;
    },
    exited,
  };
}

/** The process may be gone. */
function childrenOf(pid: number): readonly number[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return pids === '' ? [] : pids.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Resolves once the server listens; rejects, with what it wrote, when it ends before. */
export async function listening(server: PluginServer): Promise<void> {
  let exit: Exit | undefined;
  void server.exited.then((ended) => {
    exit = ended;
  });
  while (!(await canConnect(server.socketPath))) {
    if (exit !== undefined) {
      throw new Error(`the plugin server ended: ${JSON.stringify(exit)}\n${server.stdout()}\n${server.stderr()}`);
    }
    await delay(CONNECT_AGAIN_MS);
  }
}

function canConnect(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath);
  socket.once('error', () => resolve(false));
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  return promise;
}
