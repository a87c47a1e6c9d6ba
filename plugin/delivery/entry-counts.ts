import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from './clock.ts';
import { endpointKey } from './origin.ts';
import { codeOf } from './spool/files.ts';

/**
 * What all processes of one gateway have counted, in one of them: the reader. That is whoever holds a socket of a name
 * that two cannot have; the others connect to it, and try to be the next one when it is gone.
 */
export interface EntryCounts {
  /** A count that only grows, for the reader: its own and, from when they connected on, that of the others. */
  collect(): Promise<number>;
  /** Gives the reader the last count, or the place to another. */
  close(): void;
}

export interface EntryCountsOptions {
  /** What is counted against: whoever has the same belongs to the same gateway. */
  readonly url: URL;
  readonly clock: Clock;
  /** What this process has counted so far. */
  readonly own: () => number;
  /** Told once, when this process has become the reader. */
  readonly onReader: () => void;
  /** Told when there is no way to find out who is. */
  readonly onTrouble: (code: string) => void;
}

/** The reader is gone, or not quite there yet. */
const TRY_AGAIN_MS = 1000;
/** What a process that is too busy to answer has counted is in the next sum. */
const ANSWER_WITHIN_MS = 1000;
/** Of one gateway: workers, and those of reloads that have not ended yet. */
const MAX_OTHERS = 256;
const MAX_LINE_LENGTH = 16;

interface Other {
  readonly socket: Socket;
  /** What it told last. */
  total?: number;
  onTold?: () => void;
}

export function createEntryCounts(options: EntryCountsOptions): EntryCounts {
  const { clock, own } = options;
  // In Linux's abstract namespace, that of the network: the name goes with its owner, however that ends.
  const path = `\0metering-entries-${endpointKey(options.url)}`;
  const others = new Set<Other>();
  let heard = 0;
  let reading: Server | undefined;
  let link: Socket | undefined;
  let isClosed = false;

  function seek(): void {
    if (isClosed) return;
    const server = createServer((socket) => meet(socket, others, (more) => (heard += more))).unref();
    server.maxConnections = MAX_OTHERS;
    server.on('error', (error) => {
      if (reading === server) return;
      if (codeOf(error) === 'EADDRINUSE') return follow();
      options.onTrouble(codeOf(error));
      seekLater();
    });
    server.listen(path, () => {
      reading = server;
      if (isClosed) server.close();
      else options.onReader();
    });
  }

  function seekLater(): void {
    clock.setTimer(seek, TRY_AGAIN_MS, { background: true });
  }

  function follow(): void {
    const socket = connect(path).unref();
    const tell = () => socket.write(`${own()}\n`);
    link = socket;
    // Whatever the reader sends is the question.
    socket.on('connect', tell).on('data', tell);
    // 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', seekLater);
  }

  seek();
  return {
    async collect() {
      await Promise.race([Promise.all(Array.from(others, ask)), waitFor(clock, ANSWER_WITHIN_MS)]);
      return own() + heard;
    },
    close() {
      isClosed = true;
      link?.end(`${own()}\n`);
      reading?.close();
      for (const { socket } of others) socket.destroy();
    },
  };
}

function meet(socket: Socket, others: Set<Other>, add: (more: number) => void): void {
  const other: Other = { socket };
  let text = '';
  socket.unref().setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    if (text.length > MAX_LINE_LENGTH) socket.destroy();
    for (const line of lines) {
      if (!/^\d{1,15}$/.test(line)) continue;
      const total = Number.parseInt(line, 10);
      add(Math.max(0, total - (other.total ?? total)));
      other.total = total;
      other.onTold?.();
    }
  });
  // 'close' follows.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    others.delete(other);
    other.onTold?.();
  });
  others.add(other);
}

function ask(other: Other): Promise<void> {
  return new Promise((resolve) => {
    other.onTold = resolve;
    other.socket.write('?');
  });
}

function waitFor(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, delayMs, { background: true });
  });
}
