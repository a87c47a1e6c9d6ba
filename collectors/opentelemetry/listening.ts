import type { Server } from 'node:net';
import { pause, type SourceContext } from '../core/source.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A certificate and its key, as PEM; undefined = plain text. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Something that listens. */
export interface Listener {
  /** The port, which the system has chosen where 0 was asked for. */
  readonly port: number;
  /** Takes no more requests and finishes those under way, within the time. */
  close(clock: SourceContext['clock'], withinMs: number): Promise<void>;
}

/** @throws Error that names the address when it is taken */
export async function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(`${host}:${port} cannot be listened at: ${error.code ?? error.message}`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Ends a server whose requests may have to be finished first. */
export async function closeServer(
  server: Server,
  end: { readonly gently: () => void; readonly hard: () => void },
  clock: SourceContext['clock'],
  withinMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  end.gently();
  const waiting = new AbortController();
  await Promise.race([closed, pause(clock, withinMs, waiting.signal)]);
  waiting.abort();
  end.hard();
  await closed;
}
