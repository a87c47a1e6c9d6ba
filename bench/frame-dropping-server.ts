// Speaks just enough of Kong's ProtoBuf:1 to take log events and drop them: the limit for any plugin server in Node.
//   node bench/frame-dropping-server.ts SOCKET
import { createServer, type Socket } from 'node:net';
import protobuf from 'protobufjs/minimal.js';

const { Reader, Writer } = protobuf;
const LENGTH_BYTES = 4;
// Fields of Kong's pluginsocket.proto.
const SEQUENCE = 1;
const START_INSTANCE = 33;
const HANDLE_EVENT = 36;

const frame = (payload: Uint8Array): Buffer => {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(payload.length);
  return Buffer.concat([length, payload]);
};
const QUESTION = Buffer.concat([
  frame(Buffer.from('kong.log.serialize')),
  frame(Buffer.alloc(0)),
  frame(Buffer.alloc(0)),
]);

function serve(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0);
  let expectsReply = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + pending.readUInt32LE();
      if (pending.length < end) return;
      // The log entry is read off the wire and not looked at.
      if (expectsReply) expectsReply = false;
      else expectsReply = answer(socket, pending.subarray(LENGTH_BYTES, end));
      pending = pending.subarray(end);
    }
  });
}

/** @returns whether a reply follows */
function answer(socket: Socket, call: Uint8Array): boolean {
  const reader = Reader.create(call);
  let sequence = 0;
  let command = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === SEQUENCE) sequence = reader.int32();
    else {
      command = tag >>> 3;
      reader.skipType(tag & 7);
    }
  }
  const writer = Writer.create().uint32(8).int32(sequence);
  if (command === START_INSTANCE) {
    writer
      .uint32((START_INSTANCE << 3) | 2)
      .fork()
      .uint32(10)
      .string('metering-and-billing')
      .uint32(16)
      .int32(1)
      .ldelim();
  }
  const result = frame(writer.finish());
  socket.write(command === HANDLE_EVENT ? Buffer.concat([QUESTION, result]) : result);
  return command === HANDLE_EVENT;
}

createServer(serve).listen({ path: process.argv[2], backlog: 4096 }, () =>
  process.stderr.write('the plugin server listens\n'),
);
