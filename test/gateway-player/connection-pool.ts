import { connect, type Socket } from 'node:net';

/** A connection that can be used again and again, by one user at a time. */
export interface PooledConnection {
  /** False once either side has closed it. */
  isOpen(): boolean;
  close(): void;
}

/** As many connections as calls may be under way at a time, opened when they are needed and kept, as Kong keeps them. */
export interface ConnectionPool<Connection extends PooledConnection> {
  /** Runs with a connection of its own; waits for one when all are in use. */
  use<Result>(run: (connection: Connection) => Promise<Result>): Promise<Result>;
  close(): void;
}

export function createConnectionPool<Connection extends PooledConnection>(
  size: number,
  open: () => Promise<Connection>,
): ConnectionPool<Connection> {
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;

  async function takeOrOpen(): Promise<Connection> {
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      if (candidate.isOpen()) return candidate;
      all.delete(candidate);
    }
    const connection = await open();
    all.add(connection);
    return connection;
  }

  return {
    async use(run) {
      while (busy >= size) await new Promise<void>((resolve) => waiting.push(resolve));
      busy++;
      try {
        const connection = await takeOrOpen();
        try {
          return await run(connection);
        } finally {
          idle.push(connection);
        }
      } finally {
        busy--;
        waiting.shift()?.();
      }
    },
    close() {
      for (const connection of all) connection.close();
    },
  };
}

/** Connects to a unix socket; rejects when nobody listens. */
export function openSocket(socketPath: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(socketPath);
  socket.once('error', reject);
  socket.once('connect', () => {
    socket.off('error', reject);
    resolve(socket);
  });
  return promise;
}
