import protobuf from 'protobufjs';
import { type PlainLogRecord, plainLogRecord } from './plain-log-record.ts';
import { doubleOf, integerOf, MAX_DEPTH } from './values.ts';

/** Reads the log record between two places of a request; undefined = it has something unusual, or is broken. */
export type QuickReader = (start: number, end: number) => PlainLogRecord | undefined;

/** What clients do not write: fields that come twice, groups, texts that are no UTF-8, values that nest too deeply. */
class Unusual extends Error {}

const GROUP = 3;
/** Texts that may be the same as at the same place of the record before. */
const REMEMBERED_SLOTS = 256;
const REMEMBERED_BYTES = 64;

/**
 * Log records in protobuf, read as mappings see them, without the objects of a decoder in between, which take three times as
 * long. It knows only what clients write: whoever calls it decodes what it does not know the general way, which then says
 * whether that is broken. Of what it does know it makes the same.
 */
export function createQuickReader(body: Buffer): QuickReader {
  const reader = protobuf.Reader.create(body);
  const texts = createTexts(body, reader);
  return (start, end) => {
    reader.pos = start;
    reader.len = end;
    try {
      return recordIn(reader, body, texts);
    } catch {
      return undefined;
    }
  };
}

/** The cases are tags: the number of a field in OTLP times eight, and how it is written. */
function recordIn(reader: protobuf.Reader, body: Buffer, texts: Texts): PlainLogRecord {
  const fields = {
    time: '0',
    observed: '0',
    severity: 0,
    severityText: '',
    flags: 0,
    traceId: '',
    spanId: '',
    event: '',
  };
  const attributes: Record<string, unknown> = {};
  let value: unknown;
  let slot = 0;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 50) attributeIn(reader, texts, attributes, 0, slot++);
    else if (tag === 9) fields.time = nanosIn(reader, body);
    else if (tag === 89) fields.observed = nanosIn(reader, body);
    else if (tag === 16) fields.severity = reader.int32();
    else if (tag === 26) fields.severityText = texts.next();
    else if (tag === 42) value = once(value, valueIn(reader, texts, 0));
    else if (tag === 69) fields.flags = reader.fixed32();
    else if (tag === 74) fields.traceId = bytesIn(reader, body, 'hex');
    else if (tag === 82) fields.spanId = bytesIn(reader, body, 'hex');
    else if (tag === 98) fields.event = texts.next();
    else skip(reader, tag);
  }
  return ended(reader, reader.len) && plainLogRecord(fields, value ?? null, attributes);
}

/** A `KeyValue`, into the object that it belongs to. @param slot of the record's own attributes */
function attributeIn(
  reader: protobuf.Reader,
  texts: Texts,
  into: Record<string, unknown>,
  depth: number,
  slot?: number,
): void {
  const end = endOf(reader);
  let key: string | undefined;
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 10) key = once(key, texts.next(slot === undefined ? undefined : 2 * slot));
    else if (tag === 18)
      value = once(value, valueIn(reader, texts, depth, slot === undefined ? undefined : 2 * slot + 1));
    else skip(reader, tag);
  }
  ended(reader, end);
  if (key === '__proto__' || depth > MAX_DEPTH) throw new Unusual();
  into[key ?? ''] = value ?? null;
}

/** An `AnyValue`. */
function valueIn(reader: protobuf.Reader, texts: Texts, depth: number, slot?: number): unknown {
  if (depth > MAX_DEPTH) throw new Unusual();
  const end = endOf(reader);
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 10) value = once(value, texts.next(slot));
    else if (tag === 16) value = once(value, reader.bool());
    else if (tag === 24) value = once(value, integerIn(reader));
    else if (tag === 33) value = once(value, doubleOf(reader.double()));
    else if (tag === 42) value = once(value, listIn(reader, texts, depth + 1));
    else if (tag === 50) value = once(value, objectIn(reader, texts, depth + 1));
    else if (tag === 58) value = once(value, bytesIn(reader, texts.body, 'base64'));
    else skip(reader, tag);
  }
  ended(reader, end);
  return value ?? null;
}

function listIn(reader: protobuf.Reader, texts: Texts, depth: number): unknown[] {
  const end = endOf(reader);
  const list: unknown[] = [];
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 10) list.push(valueIn(reader, texts, depth));
    else skip(reader, tag);
  }
  ended(reader, end);
  return list;
}

function objectIn(reader: protobuf.Reader, texts: Texts, depth: number): Record<string, unknown> {
  const end = endOf(reader);
  const object: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === 10) attributeIn(reader, texts, object, depth);
    else skip(reader, tag);
  }
  ended(reader, end);
  return object;
}

/** What comes twice is merged, or the last one counts; let the decoder do that. */
function once<Value>(before: unknown, value: Value): Value {
  if (before !== undefined) throw new Unusual();
  return value;
}

function endOf(reader: protobuf.Reader): number {
  const length = reader.size();
  return reader.pos + length;
}

/** Within what holds it, and no further. */
function ended(reader: protobuf.Reader, end: number): true {
  if (reader.pos !== end) throw new Unusual();
  return true;
}

function skip(reader: protobuf.Reader, tag: number): void {
  if (tag >>> 3 === 0 || (tag & 7) === GROUP) throw new Unusual();
  reader.skipType(tag & 7);
}

function nanosIn(reader: protobuf.Reader, body: Buffer): string {
  const from = reader.pos;
  reader.skip(8);
  return String(body.readBigUInt64LE(from));
}

function integerIn(reader: protobuf.Reader): number | string {
  const value = reader.int64() as unknown as { readonly low: number; readonly high: number };
  return value.high === 0 ? value.low >>> 0 : integerOf(String(value));
}

function bytesIn(reader: protobuf.Reader, body: Buffer, encoding: 'hex' | 'base64'): string {
  const end = endOf(reader);
  const from = reader.pos;
  reader.skip(end - from);
  return body.toString(encoding, from, end);
}

interface Texts {
  readonly body: Buffer;
  /** The text that begins here. @param slot the same for what is often the same in the next record: its text is used again */
  next(slot?: number): string;
}

function createTexts(body: Buffer, reader: protobuf.Reader): Texts {
  const starts: number[] = [];
  const known: (string | undefined)[] = [];

  function read(from: number, end: number): string {
    for (let at = from; at < end; at++) {
      if ((body[at] as number) > 0x7f) return verified(from, end);
    }
    return body.toString('latin1', from, end);
  }

  /** @throws TypeError when it is no UTF-8 */
  function verified(from: number, end: number): string {
    return UTF_8.decode(body.subarray(from, end));
  }

  return {
    body,
    next(slot) {
      const end = endOf(reader);
      const from = reader.pos;
      reader.skip(end - from);
      const length = end - from;
      if (slot === undefined || slot >= REMEMBERED_SLOTS || length > REMEMBERED_BYTES) return read(from, end);
      const before = known[slot];
      if (before?.length === length && isSame(body, starts[slot] as number, from, length)) return before;
      const text = read(from, end);
      // Of other bytes than ASCII there are more than characters: the first of them may be no text.
      known[slot] = text.length === length ? text : undefined;
      starts[slot] = from;
      return text;
    },
  };
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isSame(body: Buffer, one: number, other: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (body[one + index] !== body[other + index]) return false;
  return true;
}
