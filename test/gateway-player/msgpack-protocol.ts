import { createConnectionPool } from './connection-pool.ts';
import { openMsgpackConnection } from './msgpack-connection.ts';
import type { PdkAnswer, PluginServerProtocol } from './plugin-server-protocol.ts';

/** What the plugin server answers to an event: a call to Kong, or the word for "done". */
interface EventStep {
  readonly EventId: number;
  readonly Data: 'ret' | { readonly Method: string; readonly Args: readonly unknown[] };
}

/**
 * `MsgPack:1` over a unix socket. As with Kong, each call takes any free connection of the pool, so that the two calls
 * of one event may travel on different ones.
 */
export function createMsgpackProtocol(socketPath: string, connections: number): PluginServerProtocol {
  let lastMessageId = 0;
  const nextMessageId = (): number => ++lastMessageId;
  const pool = createConnectionPool(connections, () => openMsgpackConnection(socketPath, nextMessageId));
  const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
    pool.use((connection) => connection.call(method, args));

  return {
    async startInstance(name, config) {
      const started = await call('plugin.StartInstance', [{ Name: name, Config: JSON.stringify(config) }]);
      return (started as { Id: number }).Id;
    },
    async handleEvent(instanceId, phase, answer) {
      let step = await call('plugin.HandleEvent', [{ EventName: phase, InstanceId: instanceId }]);
      while (!isDone(step)) step = await call('plugin.Step', [answerOf(step as EventStep, answer)]);
    },
    async closeInstance(instanceId) {
      await call('plugin.CloseInstance', [instanceId]);
    },
    close: () => pool.close(),
  };
}

function isDone(step: unknown): boolean {
  return (step as EventStep).Data === 'ret';
}

/** Lua has no null in a table: an answer of nothing has no `Data`. */
function answerOf({ EventId, Data }: EventStep, answer: PdkAnswer): object {
  if (Data === 'ret') throw new Error('the event is done');
  const answered = answer(Data.Method, Data.Args);
  return answered === undefined ? { EventId } : { EventId, Data: answered };
}
