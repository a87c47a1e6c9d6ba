import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createHost } from '../../../../plugin/host/host.ts';
import { createInstanceTable } from '../../../../plugin/host/instances.ts';
import { loadPlugin, type Protocol } from '../../../../plugin/host/plugin-module.ts';
import { createReports } from '../../../../plugin/host/reports.ts';
import { localInstances } from '../../../../plugin/host/serve-alone.ts';
import { temporaryFolder, writePlugin } from './probe-plugin.ts';

/** A host in this process, on a real socket. */
export interface HostInProcess {
  readonly socketPath: string;
  /** What the plugin put into `globalThis[NAME]`, the list that it is given to tell what it saw. */
  readonly seen: unknown[];
  /** What the host logged; a JSON object each. */
  readonly logged: readonly object[];
  stop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param source a plugin module that may push to `globalThis.seen[exports.Name]`
 * @param firstId the id of the first instance
 */
export async function startHost(
  name: string,
  source: string,
  firstId?: number,
  protocol?: Protocol,
): Promise<HostInProcess> {
  const folder = await temporaryFolder();
  const seen: unknown[] = [];
  const logged: object[] = [];
  const shared = globalThis as { seen?: Record<string, unknown[]> };
  shared.seen = { ...shared.seen, [name]: seen };
  const plugin = loadPlugin(await writePlugin(folder, name, `exports.Name = '${name}'; ${source}`));
  const instances = localInstances(plugin, createInstanceTable(100, firstId));
  const host = createHost({
    plugin,
    instances,
    ...(protocol && { protocol }),
    reports: createReports((line) => void logged.push(JSON.parse(line) as object)),
  });
  const server: Server = createServer((socket) => host.serve(socket));
  const socketPath = join(folder.path, 'kong.sock');
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    seen,
    logged,
    stop: () => host.stop(),
    async close() {
      server.close();
      await host.stop();
      await folder.remove();
    },
  };
}
