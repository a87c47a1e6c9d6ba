import type { Socket } from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';
import { openSocket, type PooledConnection } from './connection-pool.ts';

/** One connection to a plugin server that speaks `MsgPack:1`. */
export interface MsgpackConnection extends PooledConnection {
  /** One call at a time: the server reads one message per chunk, as Kong sends them. */
  call(method: string, args: readonly unknown[]): Promise<unknown>;
}

interface Call {
  readonly messageId: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const RESPONSE = 1;

/** Rejects when nobody listens. `nextMessageId` is shared by the connections of one worker, as Kong's counter is. */
export async function openMsgpackConnection(
  socketPath: string,
  nextMessageId: () => number,
): Promise<MsgpackConnection> {
  const socket = await openSocket(socketPath);
  let current: Call | undefined;

  function settle(settleCall: (call: Call) => void): void {
    const call = current;
    current = undefined;
    if (call !== undefined) settleCall(call);
  }

  void readAnswers(socket, (message) => {
    settle((call) => answerCall(call, message));
  }).then((reason) => {
    socket.destroy();
    settle((call) => call.reject(new Error(`the plugin server did not answer: ${reason}`)));
  });

  return {
    isOpen: () => !socket.destroyed,
    call(method, args) {
      if (current !== undefined) throw new Error('a connection carries one call at a time');
      const messageId = nextMessageId();
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      current = { messageId, resolve, reject };
      socket.write(encodeCall(messageId, method, args));
      return promise;
    },
    close: () => socket.destroy(),
  };
}

/** The bytes of a call, as Kong sends them. */
export function encodeCall(messageId: number, method: string, args: readonly unknown[]): Uint8Array {
  return encode([0, messageId, method, args]);
}

/** Passes on every message; resolves, when no more can come, with the reason. */
async function readAnswers(socket: Socket, onMessage: (message: unknown) => void): Promise<string> {
  try {
    for await (const message of decodeMultiStream(socket)) onMessage(message);
    return 'it closed the connection';
  } catch (error) {
    return String(error);
  }
}

function answerCall(call: Call, message: unknown): void {
  const [kind, messageId, error, result] = Array.isArray(message) ? (message as unknown[]) : [];
  if (kind !== RESPONSE || messageId !== call.messageId) {
    call.reject(new Error(`not an answer to call ${call.messageId}: ${JSON.stringify(message)}`));
  } else if (error !== null && error !== undefined) call.reject(new Error(String(error)));
  else call.resolve(result);
}
