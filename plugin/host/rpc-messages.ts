import type { Reader, Writer } from 'protobufjs/minimal.js';
import protobuf from 'protobufjs/minimal.js';
import { LENGTH_BYTES } from './frames.ts';

/** Numbers a call and its answer; Kong counts the events of a worker, so it passes 2^32 within weeks. */
export type Sequence = ReturnType<Reader['int64']> | number;

/** What Kong asks for. `unknown`: a call that this protocol version does not have. */
export type RpcCall = { readonly sequence: Sequence } & RpcRequest;

type RpcRequest =
  | { readonly kind: 'get-plugin-names' | 'unknown' }
  | { readonly kind: 'get-plugin-info'; readonly name: string }
  | { readonly kind: 'start-instance'; readonly name: string; readonly configJson: string }
  | { readonly kind: 'get-instance-status' | 'close-instance'; readonly instanceId: number }
  | { readonly kind: 'handle-event'; readonly instanceId: number; readonly phase: string };

/** What a call is answered with. */
export type RpcResult =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'plugin-names'; readonly names: readonly string[] }
  | { readonly kind: 'plugin-info'; readonly info: PluginInfo }
  | { readonly kind: 'instance-status'; readonly status: InstanceStatus };

export interface PluginInfo {
  readonly name: string;
  readonly loadedAtSeconds: number;
  readonly phases: readonly string[];
  readonly version: string;
  readonly priority: number;
  readonly schemaJson: string;
}

/** Without the configuration, which the message could hold as well: Kong has it, and it has secrets in it. */
export interface InstanceStatus {
  readonly name: string;
  readonly instanceId: number;
  readonly startedAtSeconds: number;
}

/** Field numbers of the messages; the same number names a call in one message and its answer in another. */
const SEQUENCE = 1;
const CALL = {
  getPluginNames: 31,
  getPluginInfo: 32,
  startInstance: 33,
  getInstanceStatus: 34,
  closeInstance: 35,
  handleEvent: 36,
} as const;
const RETURN = { pluginNames: 31, pluginInfo: 32, instanceStatus: 33 } as const;

const VARINT = 0;
const BYTES = 2;

const CALL_TAGS: ReadonlySet<number> = new Set(Object.values(CALL).map((field) => tagOf(field, BYTES)));

/** A sequence number and a tag: the tag tells a call from everything else, and Kong puts either of them first. */
const MAX_BEGINNING_BYTES = 13;

/**
 * Whether a stream begins with a call, and not with an answer of Kong to a call of the plugin, whose fields have low numbers.
 * @returns undefined when more bytes have to come
 */
export function beginsCall(bytes: Buffer): boolean | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const beginning = Math.min(bytes.readUInt32LE(), MAX_BEGINNING_BYTES);
  if (bytes.length < LENGTH_BYTES + beginning) return undefined;
  const reader = protobuf.Reader.create(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + beginning));
  try {
    let tag = reader.uint32();
    if (tag === tagOf(SEQUENCE, VARINT)) {
      reader.int64();
      tag = reader.uint32();
    }
    return CALL_TAGS.has(tag);
  } catch {
    // It has ended before: an answer that is a number, or nothing.
    return false;
  }
}

/** @throws Error when the payload is no protobuf message */
export function decodeRpcCall(payload: Buffer): RpcCall {
  const reader = protobuf.Reader.create(payload);
  let sequence: Sequence | undefined;
  let request: RpcRequest = { kind: 'unknown' };
  while (reader.pos < payload.length) {
    const tag = reader.uint32();
    if (tag === tagOf(SEQUENCE, VARINT)) sequence = reader.int64();
    else if ((tag & 7) === BYTES) request = decodeRequest(tag >>> 3, reader);
    else reader.skipType(tag & 7);
  }
  return { sequence: sequence ?? 0, ...request };
}

function decodeRequest(call: number, reader: Reader): RpcRequest {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new Error('a call ends behind its frame');
  const { number, first, second } = decodeParameters(reader, end);
  switch (call) {
    case CALL.handleEvent:
      return { kind: 'handle-event', instanceId: number, phase: second };
    case CALL.startInstance:
      return { kind: 'start-instance', name: first, configJson: second };
    case CALL.closeInstance:
      return { kind: 'close-instance', instanceId: number };
    case CALL.getInstanceStatus:
      return { kind: 'get-instance-status', instanceId: number };
    case CALL.getPluginInfo:
      return { kind: 'get-plugin-info', name: first };
    case CALL.getPluginNames:
      return { kind: 'get-plugin-names' };
    default:
      return { kind: 'unknown' };
  }
}

/** Every call has at most two parameters: a number or a text in field 1, a text in field 2. */
function decodeParameters(reader: Reader, end: number): { number: number; first: string; second: string } {
  const parameters = { number: 0, first: '', second: '' };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === tagOf(1, VARINT)) parameters.number = reader.int32();
    else if (tag === tagOf(1, BYTES)) parameters.first = reader.string();
    else if (tag === tagOf(2, BYTES)) parameters.second = reader.string();
    else reader.skipType(tag & 7);
  }
  return parameters;
}

/** The frame that answers a call. */
export function returnFrame(sequence: Sequence, result: RpcResult = { kind: 'nothing' }): Buffer {
  return finishFrame(writeReturn(protobuf.Writer.create().fixed32(0), sequence, result), 0);
}

/** What ends an event: an empty frame, and the frame that answers the call. */
export function eventEndFrames(sequence: Sequence): Buffer {
  const writer = protobuf.Writer.create().fixed32(0).fixed32(0);
  return finishFrame(writer.uint32(tagOf(SEQUENCE, VARINT)).int64(sequence), LENGTH_BYTES);
}

/** Fills in the length that stands at `start`, of everything behind it. */
function finishFrame(writer: Writer, start: number): Buffer {
  const bytes = writer.finish();
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  frame.writeUInt32LE(frame.length - start - LENGTH_BYTES, start);
  return frame;
}

function writeReturn(writer: Writer, sequence: Sequence, result: RpcResult): Writer {
  writer.uint32(tagOf(SEQUENCE, VARINT)).int64(sequence);
  switch (result.kind) {
    case 'nothing':
      return writer;
    case 'plugin-names':
      writer.uint32(tagOf(RETURN.pluginNames, BYTES)).fork();
      for (const name of result.names) writer.uint32(tagOf(1, BYTES)).string(name);
      return writer.ldelim();
    case 'plugin-info':
      return writePluginInfo(writer.uint32(tagOf(RETURN.pluginInfo, BYTES)).fork(), result.info).ldelim();
    case 'instance-status':
      return writer
        .uint32(tagOf(RETURN.instanceStatus, BYTES))
        .fork()
        .uint32(tagOf(1, BYTES))
        .string(result.status.name)
        .uint32(tagOf(2, VARINT))
        .int32(result.status.instanceId)
        .uint32(tagOf(4, VARINT))
        .int64(result.status.startedAtSeconds)
        .ldelim();
  }
}

function writePluginInfo(writer: Writer, info: PluginInfo): Writer {
  writer.uint32(tagOf(1, BYTES)).string(info.name);
  writer.uint32(tagOf(3, VARINT)).int64(info.loadedAtSeconds);
  for (const phase of info.phases) writer.uint32(tagOf(4, BYTES)).string(phase);
  writer.uint32(tagOf(5, BYTES)).string(info.version);
  writer.uint32(tagOf(6, VARINT)).int32(info.priority);
  return writer.uint32(tagOf(7, BYTES)).string(info.schemaJson);
}

function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
