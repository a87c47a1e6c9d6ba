import protobuf from 'protobufjs/minimal.js';
import { type Drive, eventCall, frame, overConnections } from './gateway-driver.ts';

const LENGTH_BYTES = 4;

/**
 * Kong's access phase over ProtoBuf:1, reduced to counting frames: the plugin asks for the Consumer (two frames), gets it,
 * and lets the request pass (an empty frame, and the answer to the call).
 * @returns milliseconds from each event to its end, ascending
 * @throws Error when a request is refused
 */
export async function driveAccess(drive: Omit<Drive, 'entries'>, username: string): Promise<number[]> {
  const consumer = frame(
    protobuf.Writer.create()
      .uint32(10)
      .string('b32379d9-3d28-5683-a79c-72139be6e34f')
      .uint32(26)
      .string(username)
      .finish(),
  );
  const latenciesMs: number[] = [];
  let started = 0;
  await overConnections(drive, (socket, finish) => {
    let waiting: Buffer = Buffer.alloc(0);
    let frames = 0;
    let startedAt = 0;
    const next = () => {
      if (started >= drive.events) return finish();
      started++;
      frames = 0;
      startedAt = performance.now();
      socket.write(eventCall(started, drive.instanceId, 'access'));
    };
    socket.on('data', (chunk) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      while (waiting.length >= LENGTH_BYTES) {
        const length = waiting.readUInt32LE();
        if (waiting.length < LENGTH_BYTES + length) return;
        waiting = waiting.subarray(LENGTH_BYTES + length);
        frames++;
        if (frames === 2) socket.write(consumer);
        if (frames === 3 && length > 0) throw new Error('a request was refused');
        if (frames === 4) {
          latenciesMs.push(performance.now() - startedAt);
          next();
        }
      }
    });
    next();
  });
  return latenciesMs.sort((a, b) => a - b);
}
