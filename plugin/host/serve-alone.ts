import { createServer } from 'node:net';
import { systemClock } from '../../delivery/clock.ts';
import type { Instances, StartedInstance } from './answers.ts';
import type { Ending } from './ending.ts';
import { createHost } from './host.ts';
import { createInstanceTable, type InstanceTable } from './instances.ts';
import { listenAt } from './listening.ts';
import type { HostedPlugin, Protocol } from './plugin-module.ts';
import type { Reports } from './reports.ts';

/** Serves the socket from this process alone. Resolves when it listens. @throws Error when it cannot */
export async function serveAlone(
  plugin: HostedPlugin,
  socket: string,
  ending: Ending,
  reports: Reports,
  protocol: Protocol = 'ProtoBuf:1',
): Promise<void> {
  const host = createHost({ plugin, instances: localInstances(plugin), reports, protocol });
  const server = createServer((connection) => host.serve(connection));
  const path = await listenAt(server, socket);
  server.on('error', (error) => reports.failed('connections could not be accepted', error));
  ending.onRequest(
    async () => {
      path.release();
      server.close();
      await host.stop();
    },
    () => path.orphanUse(host.connectionCount()),
    host.retire,
  );
  process.on('exit', path.release);
  reports.info('the plugin server listens', { plugin: plugin.name, version: plugin.version, workers: 1, protocol });
}

/** Instances of a process that serves alone. */
export function localInstances(
  plugin: HostedPlugin,
  table: InstanceTable<StartedInstance> = createInstanceTable(),
): Instances {
  return {
    find: table.get,
    async start(configJson) {
      return table.add(startInstance(plugin, configJson)).id;
    },
    close: async (instanceId) => table.delete(instanceId),
  };
}

/** @throws whatever the plugin's constructor throws, or SyntaxError when the configuration is no JSON */
export function startInstance(
  plugin: HostedPlugin,
  configJson: string,
  startedAtSeconds = Math.floor(systemClock.epochMs() / 1000),
): StartedInstance {
  return { instance: plugin.newInstance(JSON.parse(configJson)), startedAtSeconds };
}
