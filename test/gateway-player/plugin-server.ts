import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Exit, type PluginServer, watch } from './running-server.ts';

/** Our own plugin server, as it ships. */
export const PLUGIN_SERVER = join(import.meta.dirname, '..', '..', 'dist', 'plugin-server', 'kong-plugin-server.cjs');

export interface PluginServerOptions {
  /** Absolute; a file or a folder. */
  readonly pluginDir: string;
  /** Where to listen; by default a new folder, which goes away with the server. Two servers may share a path. */
  readonly socketPath?: string;
  readonly workers?: number;
  readonly protocol?: 'protobuf' | 'msgpack';
  readonly env?: Readonly<Record<string, string>>;
  /** The server to start instead of the built one. */
  readonly program?: string;
}

/** Between two looks at what the server has written. */
const LOOK_AGAIN_MS = 5;

/** Starts our plugin server and resolves once it listens; rejects, with what it wrote, when it ends before. */
export async function startPluginServer(options: PluginServerOptions): Promise<PluginServer> {
  const { pluginDir, workers, protocol, program = PLUGIN_SERVER } = options;
  const more = [...(workers ? ['--workers', String(workers)] : []), ...(protocol ? ['--protocol', protocol] : [])];
  const folder = await mkdtemp(join(tmpdir(), 'plugin-server-'));
  const socketPath = options.socketPath ?? join(folder, 'kong.sock');
  const child = spawn(
    process.execPath,
    [program, '--plugin', pluginDir, '--socket', socketPath, ...more],
    // Kong holds the other end of a pipe.
    {
      cwd: folder,
      env: { ...process.env, METERING_SPOOL_DIR: join(folder, 'spool'), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const server = watch(child, socketPath);
  void server.exited.then(() => rm(folder, { recursive: true, force: true }));
  let exit: Exit | undefined;
  void server.exited.then((ended) => {
    exit = ended;
  });
  // Not by connecting: on a path that is taken over, another server answers until then.
  while (!server.stderr().includes('the plugin server listens')) {
    if (exit !== undefined) {
      throw new Error(`the plugin server ended: ${JSON.stringify(exit)}\n${server.stdout()}\n${server.stderr()}`);
    }
    await delay(LOOK_AGAIN_MS);
  }
  return server;
}
