import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening, type PluginServer, watch } from './running-server.ts';

/** kong-pdk's own plugin server, as `node_modules/.bin/kong-js-pluginserver` starts it. */
export const STOCK_SERVER = join(
  import.meta.dirname,
  '..',
  '..',
  'node_modules',
  'kong-pdk',
  'bin',
  'kong-js-pluginserver',
);

export interface StockPluginServerOptions {
  /** Absolute. */
  readonly pluginDir: string;
  /** Where to listen; by default a new folder, which goes away with the server. Two servers may share a path. */
  readonly socketPath?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts kong-pdk's plugin server and resolves once it listens; rejects, with what it wrote, when it ends before. */
export async function startStockPluginServer(options: StockPluginServerOptions): Promise<PluginServer> {
  const folder = await mkdtemp(join(tmpdir(), 'plugin-server-'));
  const socketPath = options.socketPath ?? join(folder, 'js_pluginserver.sock');
  // Its own folder as working directory: the server loads ts-node, which would read the tsconfig.json that it finds.
  const child = spawn(
    process.execPath,
    [STOCK_SERVER, '-d', options.pluginDir, '--kong-prefix', join(socketPath, '..'), '--sock-name', nameOf(socketPath)],
    {
      cwd: folder,
      env: { ...process.env, METERING_SPOOL_DIR: join(folder, 'spool'), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const server = watch(child, socketPath);
  void server.exited.then(() => rm(folder, { recursive: true, force: true }));
  await listening(server);
  return server;
}

function nameOf(socketPath: string): string {
  return socketPath.slice(socketPath.lastIndexOf('/') + 1);
}
