import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createTestBackend, type TestBackend } from './backend.ts';

/** A backend whose clock runs, since plugin servers run by the machine's, and that a test can move, behind a real HTTP server that can go away and come back. */
export interface ServedBackend {
  readonly backend: TestBackend;
  readonly url: string;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function serveBackend(start: string): Promise<ServedBackend> {
  const backend = await createTestBackend({ start });
  let aheadMs = 0;
  Object.assign(backend.clock, {
    nowMs: () => Date.now() + aheadMs,
    set: (instant: string) => {
      aheadMs = Date.parse(instant) - Date.now();
    },
    advanceMs: (durationMs: number) => {
      aheadMs += durationMs;
    },
  });
  backend.clock.set(start);
  let server: Server | undefined;
  let port = 0;
  const comeBack = async (): Promise<void> => {
    const started = createServer(getRequestListener(backend.app.fetch));
    await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve));
    port = (started.address() as { port: number }).port;
    server = started;
  };
  const goDown = async (): Promise<void> => {
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
  };
  await comeBack();
  return {
    backend,
    url: `http://127.0.0.1:${port}`,
    goDown,
    comeBack,
    close: async () => {
      await goDown();
      await backend.close();
    },
  };
}
