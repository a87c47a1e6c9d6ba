import { createConnectionPool } from './connection-pool.ts';
import type { PdkAnswer, PluginServerProtocol } from './plugin-server-protocol.ts';
import { openProtobufConnection, type ProtobufConnection } from './protobuf-connection.ts';
import { decodeMessage, encodeMessage, type Message } from './protobuf-messages.ts';
import { isKnownFunction, readArguments, writeResult } from './protobuf-pdk.ts';

/**
 * `ProtoBuf:1` over a unix socket, as Kong speaks it: an event has one connection to itself until its answer is there.
 * Whatever Kong would wait for in vain, or take for something else, rejects: an answer with another number, more frames
 * than were asked for, and a function that the player would not answer.
 */
export function createProtobufProtocol(socketPath: string, connections: number): PluginServerProtocol {
  const pool = createConnectionPool(connections, () => openProtobufConnection(socketPath));
  let lastSequence = 1;

  async function call(method: string, args: object, answer?: PdkAnswer): Promise<Message> {
    return await pool.use(async (connection) => {
      try {
        return await callOver(connection, ++lastSequence, method, args, answer);
      } catch (error) {
        // Kong does not use it again, either.
        connection.close();
        throw error;
      }
    });
  }

  return {
    async startInstance(name, config) {
      const answer = await call('cmd_start_instance', { name, config: Buffer.from(JSON.stringify(config)) });
      const { instance_id: id } = (answer['instance_status'] ?? {}) as { instance_id?: number };
      if (id === undefined || id === 0) throw new Error('the plugin server named no instance');
      return id;
    },
    async handleEvent(instanceId, phase, answer) {
      await call('cmd_handle_event', { instance_id: instanceId, event_name: phase }, answer);
    },
    async closeInstance(instanceId) {
      const answer = await call('cmd_close_instance', { instance_id: instanceId });
      // Kong does not look at it; an answer of ProtoBuf:1 has no place for an error.
      if (answer['instance_status'] === undefined) throw new Error(`no plugin instance #${instanceId} was closed`);
    },
    close: () => pool.close(),
  };
}

async function callOver(
  connection: ProtobufConnection,
  sequence: number,
  method: string,
  args: object,
  answer: PdkAnswer | undefined,
): Promise<Message> {
  connection.expectSilence();
  connection.send(callMessage(sequence, method, args));
  if (answer !== undefined) await answerCalls(connection, answer);
  const returned = decodeMessage('RpcReturn', await connection.nextFrame());
  if (returned['sequence'] !== sequence) {
    throw new Error(`the plugin server answered call ${String(returned['sequence'])} instead of call ${sequence}`);
  }
  connection.expectSilence();
  return returned;
}

/** Kong's encoder goes through a Lua table: which of the two fields comes first differs from worker to worker. */
function callMessage(sequence: number, method: string, args: object): Buffer {
  const fields = [encodeMessage('RpcCall', { sequence }), encodeMessage('RpcCall', { [method]: args })];
  return Buffer.concat(sequence % 2 === 0 ? fields : fields.toReversed());
}

/** Answers what the plugin asks, until an empty frame says that it is done. */
async function answerCalls(connection: ProtobufConnection, answer: PdkAnswer): Promise<void> {
  for (;;) {
    const name = (await connection.nextFrame()).toString();
    if (name === '') return;
    const payload = await connection.nextFrame();
    // To Kong, too, this is how a plugin server says what is wrong: it quotes the name of the function in an error.
    if (!isKnownFunction(name)) throw new Error(name);
    connection.send(writeResult(name, answer(name, readArguments(name, payload))));
  }
}
