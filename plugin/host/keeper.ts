import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../delivery/clock.ts';
import type { LogSink } from '../../delivery/log.ts';
import { readHostConfig } from './config.ts';
import type { Ending } from './ending.ts';
import { listenAt } from './listening.ts';

/**
 * The face of a server that lives on across Kong's restarts towards the launchers that Kong starts. Beside Kong's socket
 * it listens at another one: a launcher connects, reads one line that says which server this is, and stays. From then on
 * it gets the server's log, a line at a time, and says by being there that there is a Kong.
 */
export interface Keeper {
  /** Takes a line of the log: for the launcher that came last, or, when there is none, for the next. */
  readonly log: LogSink;
  /**
   * Begins to take launchers. @throws Error when the path cannot be used
   * @param connectionCount connections of Kong
   */
  start(socketPath: string, identity: string, connectionCount: () => number, ending: Ending): Promise<void>;
}

/** What a server says of itself to a launcher. */
export interface Greeting {
  /** Equal ones have the same program, plugin, command line and settings. */
  readonly identity: string;
  readonly pid: number;
}

/**
 * So long after the last launcher and the last connection of Kong are gone, the server ends: a restart of Kong takes
 * some seconds, that of a busy machine some more.
 */
const LINGER_MS = 60_000;
const LOOK_MS = 1000;
/** Lines that are kept for the next launcher. */
const MAX_LINES = 200;
/** Of the log, on its way to a launcher that does not read. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** Of one gateway: those of reloads that have not ended yet. */
const MAX_LAUNCHERS = 64;

/** Where a server takes launchers. */
export function keeperPath(socketPath: string): string {
  return `${socketPath}.keeper`;
}

export function createKeeper(): Keeper {
  const launchers = new Set<Socket>();
  const kept: string[] = [];

  function log(line: string): void {
    const last = [...launchers].at(-1);
    if (last === undefined) {
      if (kept.push(line) > MAX_LINES) kept.shift();
    } else if (last.writableLength < MAX_UNREAD_BYTES) last.write(`${line}\n`);
  }

  async function start(
    socketPath: string,
    identity: string,
    connectionCount: () => number,
    ending: Ending,
  ): Promise<void> {
    const greeting: Greeting = { identity, pid: process.pid };
    const server = createServer((launcher) => {
      // 'close' follows.
      launcher.on('error', () => undefined).on('close', () => launchers.delete(launcher));
      launcher.resume();
      launcher.write(`${JSON.stringify(greeting)}\n`);
      launchers.add(launcher);
      for (const line of kept.splice(0)) log(line);
    });
    const path = await listenAt(server, keeperPath(socketPath));
    server.maxConnections = MAX_LAUNCHERS;
    process.on('exit', path.release);
    let neededAt = systemClock.now();
    const look = (): void => {
      if (launchers.size > 0 || connectionCount() > 0) neededAt = systemClock.now();
      if (path.orphanUse(0) === 'none') ending.retire();
      else if (systemClock.now() - neededAt >= LINGER_MS) ending.request();
      else systemClock.setTimer(look, LOOK_MS);
    };
    look();
  }

  return { log, start };
}

/** Of the server that this command line would start. @throws Error when there is no such plugin */
export function identityOf(program: string, plugin: string, args: readonly string[]): string {
  const file = statSync(plugin).isDirectory() ? join(plugin, 'index.js') : plugin;
  const hash = createHash('sha256');
  for (const path of [program, file]) hash.update(readFileSync(path)).update('\0');
  hash.update(JSON.stringify([process.version, args, readHostConfig(process.pid).settingsKey]));
  return hash.digest('hex');
}
