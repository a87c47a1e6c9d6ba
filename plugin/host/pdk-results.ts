import type { Reader } from 'protobufjs/minimal.js';
import { readAny, structFields } from './json-wire-values.ts';
import {
  bytes,
  double,
  type Field,
  flag,
  integer,
  many,
  mapOf,
  one,
  readFields,
  text,
  type ValuesOf,
  type WireType,
} from './wire-types.ts';

/** Reads the message that Kong answers a call with. An empty one is nothing, `undefined`, unless it says otherwise. */
export type Gives<Result> = (reader: Reader) => Result;

export const givesNothing: Gives<undefined> = () => undefined;

/** `undefined` for an empty text, too: on the wire it looks like nothing. */
export const givesText: Gives<string | undefined> = (reader) => readOnly(reader, text);

/** `undefined` for 0, too, which no status and no port is. */
export const givesInteger: Gives<number | undefined> = (reader) => readOnly(reader, integer);

export const givesDouble: Gives<number | undefined> = (reader) => readOnly(reader, double);

export const givesFlag: Gives<boolean> = (reader) => readOnly(reader, flag) ?? false;

export const givesBytes: Gives<Uint8Array | undefined> = (reader) => asBytes(readOnly(reader, bytes));

export const givesAny: Gives<unknown> = (reader) => readAny(reader, reader.len);

export const givesStruct: Gives<Readonly<Record<string, unknown>>> = (reader) =>
  readFields(reader, reader.len, structFields).fields ?? {};

/** An entity of Kong; `undefined` when there is none. */
export function givesEntity<Fields extends Readonly<Record<string, Field<unknown>>>>(
  fields: Fields,
): Gives<ValuesOf<Fields> | undefined> {
  return (reader) => (reader.len === 0 ? undefined : readFields(reader, reader.len, fields));
}

/** @throws Error when Kong has the body in a file, since it was too large for memory, or could not read it */
export const givesRawBody: Gives<Uint8Array | undefined> = (reader) => {
  const { content, file, error } = readFields(reader, reader.len, {
    content: one(1, bytes),
    file: one(2, text),
    error: one(3, text),
  });
  if (file !== undefined) throw new Error('the body is in a file, being larger than client_body_buffer_size');
  if (error !== undefined) throw new Error(error);
  return asBytes(content);
};

export const givesUriCaptures: Gives<{
  readonly unnamed: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}> = (reader) => {
  const { unnamed = [], named = {} } = readFields(reader, reader.len, {
    unnamed: many(1, text),
    named: mapOf(2, text),
  });
  return { unnamed, named };
};

/** The value of a message that has one field, number 1. */
function readOnly<T>(reader: Reader, type: WireType<T>): T | undefined {
  let value: T | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | type.wireType)) value = type.read(reader, 0);
    else reader.skipType(tag & 7);
  }
  return value;
}

function asBytes(value: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
