import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { stderrSink } from '../../delivery/log.ts';
import { type Command, KEPT_OPTION, MANAGED_OPTION } from './command-line.ts';
import { isPipe } from './ending.ts';
import { type Greeting, identityOf, keeperPath } from './keeper.ts';
import { readLines } from './lines.ts';
import type { Reports } from './reports.ts';

/**
 * What Kong starts, and ends within some 50 ms: a process that serves nobody. The server itself runs in a session of its
 * own. The launcher finds it alive and the same, and hands over by doing nothing; or starts it, when it is another or
 * none: a new server takes the socket over by renaming, so that at no moment nobody listens, and the old one notices and
 * drains. When the server goes, the launcher starts another.
 */
export async function launch(command: Command & { kind: 'serve' }, args: readonly string[], reports: Reports) {
  const [, program = ''] = process.argv;
  const own = args.filter((arg) => arg !== MANAGED_OPTION);
  const identity = identityOf(program, command.plugin, own);
  const path = keeperPath(command.socket);
  endWithKong();
  for (;;) {
    const attached = await attach(path, identity);
    if (attached !== undefined) {
      reports.info('the plugin server lives on and is used', { pid: attached.pid });
      await attached.gone;
    }
    const server = startServer(program, own);
    while (!server.isOver()) {
      const started = await attach(path, identity);
      if (started === undefined) {
        await delay(LOOK_AGAIN_MS);
        continue;
      }
      server.forget();
      await started.gone;
      break;
    }
    await server.endIfFailed();
    reports.info('the plugin server is gone and is started again');
  }
}

/** Between two looks whether a server that has been started listens already; it needs some 200 ms. */
const LOOK_AGAIN_MS = 20;
/** A server says at once who it is, unless it hangs. */
const GREETING_WITHIN_MS = 5000;

interface Attached {
  readonly pid: number;
  /** Resolves when the server has ended, or has given its place to another. */
  readonly gone: Promise<void>;
}

/** Resolves with undefined when nobody is there, or somebody else. */
function attach(path: string, identity: string): Promise<Attached | undefined> {
  const { promise, resolve } = Promise.withResolvers<Attached | undefined>();
  const { promise: gone, resolve: isGone } = Promise.withResolvers<void>();
  const socket = connect(path);
  let greeting: Greeting | undefined;
  socket.setTimeout(GREETING_WITHIN_MS, () => greeting ?? socket.destroy());
  // 'close' follows.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    resolve(undefined);
    isGone();
  });
  readLines(socket, (line) => {
    if (greeting !== undefined) return stderrSink(line);
    greeting = JSON.parse(line) as Greeting;
    if (greeting.identity === identity) resolve({ pid: greeting.pid, gone });
    else socket.destroy();
  });
  return promise;
}

interface StartedServer {
  isOver(): boolean;
  /** It has a keeper of its own: its standard error is nobody's any more. */
  forget(): void;
  /** Ends this process when the server could not serve: a second try would not, either. */
  endIfFailed(): Promise<void>;
}

function startServer(program: string, args: readonly string[]): StartedServer {
  const child: ChildProcess = spawn(process.execPath, [program, ...args, KEPT_OPTION], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.unref();
  let isOver = false;
  let isForgotten = false;
  /** null = it was killed. */
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  child.on('error', () => resolve(1));
  child.on('close', (code) => resolve(code));
  void ended.then(() => {
    isOver = true;
  });
  return {
    isOver: () => isOver,
    forget() {
      isForgotten = true;
      child.stderr?.destroy();
    },
    async endIfFailed() {
      if (isForgotten) return;
      const code = await ended;
      // It has said why; Kong starts this launcher again a second later.
      if (code !== null) process.exit(code);
    },
  };
}

function endWithKong(): void {
  const end = (): void => process.exit(0);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (isPipe(0)) process.stdin.on('end', end).on('error', end).resume();
}
