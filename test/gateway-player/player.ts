import { createMsgpackProtocol } from './msgpack-protocol.ts';
import type { PluginServerProtocol } from './plugin-server-protocol.ts';
import { createProtobufProtocol } from './protobuf-protocol.ts';

/** Plays one Kong worker against a plugin server. */
export interface Player {
  /** Starts an instance of the plugin with a configuration; resolves with its id. */
  startInstance(name: string, config: object): Promise<number>;
  /**
   * Runs the log phase of one request, whose log entry is `entryJson`; resolves, with the number of calls that the
   * plugin made, when the plugin is done. Rejects when the plugin calls anything but `kong.log.serialize`: most other
   * calls are never answered in the log phase, so that the plugin would wait for ever.
   */
  logRequest(instanceId: number, entryJson: string | undefined): Promise<{ readonly pdkCalls: number }>;
  closeInstance(instanceId: number): Promise<void>;
  close(): void;
}

/** Over `MsgPack:1`, which kong-pdk's plugin server speaks. @param connections - how many calls may be under way at the same time */
export function connectPlayer(socketPath: string, { connections }: { readonly connections: number }): Player {
  return createPlayer(createMsgpackProtocol(socketPath, connections));
}

/** The same over `ProtoBuf:1`, which our own plugin server speaks. */
export function connectProtobufPlayer(socketPath: string, { connections }: { readonly connections: number }): Player {
  return createPlayer(createProtobufProtocol(socketPath, connections));
}

/** A player of whatever protocol. */
function createPlayer(protocol: PluginServerProtocol): Player {
  return {
    startInstance: (name, config) => protocol.startInstance(name, config),
    async logRequest(instanceId, entryJson) {
      let pdkCalls = 0;
      await protocol.handleEvent(instanceId, 'log', (method) => {
        pdkCalls++;
        if (method === 'kong.log.serialize') return entryJson;
        throw new Error(`the plugin called ${method} in the log phase; Kong might never answer that`);
      });
      return { pdkCalls };
    },
    closeInstance: (instanceId) => protocol.closeInstance(instanceId),
    close: () => protocol.close(),
  };
}
