import type { HostedPlugin, PluginInstance } from './plugin-module.ts';
import { plainError } from './reports.ts';
import type { InstanceStatus, PluginInfo, RpcCall, RpcResult } from './rpc-messages.ts';

/** An instance of the plugin that Kong has started. */
export interface StartedInstance {
  readonly instance: PluginInstance;
  readonly startedAtSeconds: number;
}

/** The instances that Kong may name, as one process that serves it sees them. */
export interface Instances {
  find(instanceId: number): StartedInstance | undefined;
  /**
   * Starts an instance; resolves with its id once every process that serves the socket has it.
   * @throws whatever the plugin's constructor throws
   */
  start(configJson: string): Promise<number>;
  /** Resolves, once no process has the instance any more, with whether there was one. */
  close(instanceId: number): Promise<boolean>;
}

const NOTHING: RpcResult = { kind: 'nothing' };

/**
 * The answer to any call but an event. The protocol has no place for an error: what does not exist is answered with
 * nothing, and what fails with an exception, on which the connection has to be closed.
 */
export async function answerTo(
  call: Exclude<RpcCall, { kind: 'handle-event' }>,
  instances: Instances,
  plugin: HostedPlugin,
  pluginInfo: PluginInfo,
): Promise<RpcResult> {
  switch (call.kind) {
    case 'get-plugin-names':
      return { kind: 'plugin-names', names: [plugin.name] };
    case 'get-plugin-info':
      return call.name === plugin.name ? { kind: 'plugin-info', info: pluginInfo } : NOTHING;
    case 'start-instance': {
      if (call.name !== plugin.name) throw plainError(`there is no plugin ${call.name}`);
      const instanceId = await instances.start(call.configJson);
      return statusOf(instanceId, instances.find(instanceId), plugin);
    }
    case 'get-instance-status':
      return statusOf(call.instanceId, instances.find(call.instanceId), plugin);
    case 'close-instance': {
      const started = instances.find(call.instanceId);
      const wasThere = await instances.close(call.instanceId);
      return wasThere ? statusOf(call.instanceId, started, plugin) : NOTHING;
    }
    case 'unknown':
      return NOTHING;
  }
}

function statusOf(instanceId: number, started: StartedInstance | undefined, { name }: HostedPlugin): RpcResult {
  if (started === undefined) return NOTHING;
  const status: InstanceStatus = { name, instanceId, startedAtSeconds: started.startedAtSeconds };
  return { kind: 'instance-status', status };
}
