import { connect, type Socket } from 'node:net';
import { decode, encode } from '@msgpack/msgpack';
import protobuf from 'protobufjs/minimal.js';

/** What a driver does: so many log events over so many connections, each connection one event at a time. */
export interface Drive {
  socketPath: string;
  instanceId: number;
  entries: readonly string[];
  events: number;
  connections: number;
}

const { Writer } = protobuf;
const LENGTH_BYTES = 4;
const HANDLE_EVENT = 36;

/**
 * Kong's side of ProtoBuf:1, reduced to counting frames: a question is two frames, then the entry is sent, and the event
 * is done after two more. A full player would cost more than the server that is measured.
 */
export async function driveProtobuf(drive: Drive): Promise<void> {
  const replies = drive.entries.map((entry) => frame(Writer.create().uint32(10).string(entry).finish()));
  let started = 0;
  await overConnections(drive, (socket, finish) => {
    let frames = 0;
    let current = 0;
    let toSkip = 0;
    let header: Buffer = Buffer.alloc(0);
    const next = () => {
      if (started >= drive.events) return finish();
      current = ++started;
      frames = 0;
      socket.write(eventCall(current, drive.instanceId));
    };
    socket.on('data', (chunk) => {
      let rest = chunk;
      while (rest.length > 0 || (toSkip === 0 && header.length === LENGTH_BYTES)) {
        if (toSkip > 0) {
          const skipped = Math.min(toSkip, rest.length);
          toSkip -= skipped;
          rest = rest.subarray(skipped);
          if (toSkip > 0) return;
        } else {
          const wanted = LENGTH_BYTES - header.length;
          header = Buffer.concat([header, rest.subarray(0, wanted)]);
          rest = rest.subarray(wanted);
          if (header.length < LENGTH_BYTES) return;
          toSkip = header.readUInt32LE();
          header = Buffer.alloc(0);
          if (toSkip > rest.length) continue;
          rest = rest.subarray(toSkip);
          toSkip = 0;
        }
        frames++;
        if (frames === 2) socket.write(replies[current % replies.length] as Buffer);
        if (frames === 4) next();
      }
    });
    next();
  });
}

export function eventCall(sequence: number, instanceId: number, phase = 'log'): Buffer {
  const writer = Writer.create()
    .uint32(8)
    .int32(sequence)
    .uint32((HANDLE_EVENT << 3) | 2)
    .fork();
  return frame(writer.uint32(8).int32(instanceId).uint32(18).string(phase).ldelim().finish());
}

export function frame(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(payload.length);
  return Buffer.concat([length, payload]);
}

/** Kong's side of MsgPack:1: HandleEvent, then Step with the entry. */
export async function driveMsgpack(drive: Drive): Promise<void> {
  let started = 0;
  await overConnections(drive, (socket, finish) => {
    let isStep = false;
    let current = 0;
    const next = () => {
      if (started >= drive.events) return finish();
      current = ++started;
      isStep = false;
      socket.write(encode([0, current, 'plugin.HandleEvent', [{ EventName: 'log', InstanceId: drive.instanceId }]]));
    };
    socket.on('data', (chunk) => {
      const [, , error, result] = decode(chunk) as [number, number, unknown, { EventId: number }];
      if (error) throw new Error(String(error));
      if (isStep) return next();
      isStep = true;
      const Data = drive.entries[current % drive.entries.length];
      socket.write(encode([0, current, 'plugin.Step', [{ EventId: result.EventId, Data }]]));
    });
    next();
  });
}

export function overConnections(
  { socketPath, connections }: Pick<Drive, 'socketPath' | 'connections'>,
  run: (socket: Socket, finish: () => void) => void,
): Promise<unknown> {
  return Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(socketPath);
          socket.once('error', reject);
          socket.once('close', () => reject(new Error('the server closed a connection')));
          socket.once('connect', () =>
            run(socket, () => {
              socket.destroy();
              resolve();
            }),
          );
        }),
    ),
  );
}
