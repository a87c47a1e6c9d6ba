import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../../delivery/clock.ts';
import { type ListeningPath, listenAt } from '../host/listening.ts';
import { type FeedMessage, type Measure, readMessage, readStatus } from './messages.ts';
import { ToldTotals } from './told-totals.ts';

/** What the metering plugin servers of this gateway have counted. */
export interface UsageFeedReader {
  /** Whether any of them tells. */
  isConnected(): boolean;
  /** Whether somebody tells, and nobody is still delivering what a dead process has left: all that is on its way is told. */
  tellsAll(): boolean;
  /** Totals that only grow: what was made, and what of it has reached the backend. */
  totals(subject: string, type: string, measure: Measure): { readonly made: number; readonly settled: number };
  /** Calls back with how many requests of a subject came to their end. */
  onLogged(listener: (subject: string, count: number) => void): void;
  close(): void;
}

/**
 * A metering plugin server that is gone may have left events on disk, which its successor delivers, and does not tell of.
 * They still count as on their way for this long, in which a successor has found them (it looks every five seconds), and
 * then until there is a sender and none that is still delivering such events …
 */
const GONE_AFTER_MS = 10_000;
/** … but not for ever: the plugin may have been taken away. */
const FORGOTTEN_AFTER_MS = 600_000;
const LOOK_EVERY_MS = 1000;
/** A line is some hundred bytes. */
const MAX_LINE_CHARACTERS = 65_536;

/**
 * Listens at the path; whoever listened there before gets no new connections.
 * @param onError told why it cannot; the reader then knows of nothing
 */
export function openUsageFeedReader(
  socketPath: string,
  clock: Clock,
  onError: (error: unknown) => void,
): UsageFeedReader {
  const told = new ToldTotals();
  /** Whether the sender is delivering what a dead one has left; undefined: it has not said yet. */
  const connections = new Map<Socket, boolean | undefined>();
  const gone: { readonly last: ReadonlyMap<string, FeedMessage>; readonly at: number }[] = [];

  const tellsAll = () => connections.size > 0 && [...connections.values()].every((isAdopting) => isAdopting === false);

  function lookAtGone(): void {
    const now = clock.now();
    for (let [oldest] = gone; oldest !== undefined; [oldest] = gone) {
      const age = now - oldest.at;
      if (age < GONE_AFTER_MS || !(tellsAll() || age >= FORGOTTEN_AFTER_MS)) break;
      for (const message of oldest.last.values()) told.giveUp(message);
      gone.shift();
    }
    if (gone.length > 0) clock.setTimer(lookAtGone, LOOK_EVERY_MS, { background: true });
  }

  function serve(socket: Socket): void {
    const known = new Map<string, FeedMessage>();
    let rest = '';
    connections.set(socket, undefined);
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS) socket.destroy();
      for (const line of lines) {
        const message = readMessage(line);
        const isAdopting = message === undefined ? readStatus(line) : undefined;
        if (message !== undefined) told.take(message, known);
        if (isAdopting !== undefined) connections.set(socket, isAdopting);
      }
    });
    socket.on('close', () => {
      connections.delete(socket);
      if (known.size === 0) return;
      gone.push({ last: known, at: clock.now() });
      if (gone.length === 1) clock.setTimer(lookAtGone, GONE_AFTER_MS, { background: true });
    });
  }

  const server = createServer(serve);
  let path: ListeningPath | undefined;
  const release = (): void => path?.release();
  process.on('exit', release);
  const listen = async (): Promise<void> => {
    mkdirSync(dirname(socketPath), { recursive: true });
    path = await listenAt(server, socketPath);
    server.on('error', onError);
    server.unref();
  };
  listen().catch(onError);
  return {
    isConnected: () => connections.size > 0,
    tellsAll,
    totals: (subject, type, measure) => told.of(subject, type, measure),
    onLogged: (listener) => told.onLogged(listener),
    close() {
      process.off('exit', release);
      release();
      server.close();
      for (const socket of connections.keys()) socket.destroy();
    },
  };
}
