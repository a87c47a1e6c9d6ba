import type { Reader, Writer } from 'protobufjs/minimal.js';
import { textFrom } from './text-bytes.ts';

/** How one value of a message stands on the wire. */
export interface WireType<T> {
  /** 0 varint, 1 eight bytes, 2 a length and bytes. */
  readonly wireType: 0 | 1 | 2;
  write(writer: Writer, value: T): void;
  read(reader: Reader, depth: number): T;
}

/** One field of a message. */
export interface Field<T> {
  readonly number: number;
  readonly wireType: 0 | 1 | 2;
  write(writer: Writer, value: T): void;
  /** @param before - what the same field held further up in the message */
  read(reader: Reader, depth: number, before: T | undefined): T;
}

/** The values of a message; what the sender left out is absent. */
export type ValuesOf<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] extends Field<infer T> ? T : never };

/** Deeper than any header, query or log field nests; a message without a bound could end the stack. */
const MAX_DEPTH = 64;

export const text: WireType<string> = {
  wireType: 2,
  write: (writer, value) => void writer.string(checked(value, 'string')),
  read: (reader) => textFrom(reader.bytes()),
};

/** Text is written as UTF-8; read, it stays bytes. */
export const bytes: WireType<string | Uint8Array> = {
  wireType: 2,
  write: (writer, value) => void writer.bytes(typeof value === 'string' ? Buffer.from(value) : value),
  read: (reader) => Buffer.from(reader.bytes()),
};

export const flag: WireType<boolean> = {
  wireType: 0,
  write: (writer, value) => void writer.bool(checked(value, 'boolean')),
  read: (reader) => reader.bool(),
};

/** int32 */
export const integer: WireType<number> = {
  wireType: 0,
  write: (writer, value) => void writer.int32(checked(value, 'number')),
  read: (reader) => reader.int32(),
};

/** int64, as a number: instants and sizes, which stay far below 2^53. */
export const longInteger: WireType<number> = {
  wireType: 0,
  write: (writer, value) => void writer.int64(checked(value, 'number')),
  read: (reader) => Number(reader.int64()),
};

export const double: WireType<number> = {
  wireType: 1,
  write: (writer, value) => void writer.double(checked(value, 'number')),
  read: (reader) => reader.double(),
};

export function one<T>(number: number, type: WireType<T>): Field<T> {
  return {
    number,
    wireType: type.wireType,
    write(writer, value) {
      writer.uint32((number << 3) | type.wireType);
      type.write(writer, value);
    },
    read: (reader, depth) => type.read(reader, depth),
  };
}

/** For types with a length only: numbers would be packed. */
export function many<T>(number: number, type: WireType<T>): Field<readonly T[]> {
  const { write, read, wireType } = one(number, type);
  return {
    number,
    wireType,
    write(writer, values) {
      for (const value of values) write(writer, value);
    },
    read(reader, depth, before) {
      const values = (before ?? []) as T[];
      values.push(read(reader, depth, undefined));
      return values;
    },
  };
}

export function mapOf<T>(number: number, type: WireType<T>): Field<Readonly<Record<string, T>>> {
  const entry = message({ key: one(1, text), value: one(2, type) });
  const { write, read, wireType } = one(number, entry);
  return {
    number,
    wireType,
    write(writer, values) {
      for (const [key, value] of Object.entries(values)) write(writer, { key, value } as ValuesOf<typeof entry.fields>);
    },
    read(reader, depth, before) {
      const { key = '', value } = read(reader, depth, undefined) as { key?: string; value?: T };
      const values = (before ?? {}) as Record<string, T | undefined>;
      // Not by assignment: clients choose the names of headers and query arguments, and one may be __proto__.
      Object.defineProperty(values, key, { value, writable: true, enumerable: true, configurable: true });
      return values as Record<string, T>;
    },
  };
}

/** A message within a message. Fields that are not known are skipped, as protobuf wants it. */
export function message<Fields extends Readonly<Record<string, Field<unknown>>>>(
  fields: Fields,
): WireType<ValuesOf<Fields>> & { readonly fields: Fields } {
  return {
    fields,
    wireType: 2,
    write(writer, values) {
      writer.fork();
      writeFields(writer, fields, values);
      writer.ldelim();
    },
    read: (reader, depth) => {
      const end = reader.uint32() + reader.pos;
      return readFields(reader, end, fields, depth + 1);
    },
  };
}

/** The fields of a message without a length in front, as it stands alone in a frame. */
export function writeFields<Fields extends Readonly<Record<string, Field<unknown>>>>(
  writer: Writer,
  fields: Fields,
  values: ValuesOf<Fields>,
): void {
  for (const [name, field] of Object.entries(fields)) {
    const value = values[name as keyof Fields];
    if (value !== undefined) field.write(writer, value);
  }
}

export function readFields<Fields extends Readonly<Record<string, Field<unknown>>>>(
  reader: Reader,
  end: number,
  fields: Fields,
  depth = 0,
): ValuesOf<Fields> {
  if (depth > MAX_DEPTH) throw new Error(`a message nests deeper than ${MAX_DEPTH}`);
  if (end > reader.len) throw new Error('a message ends behind its frame');
  const values: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const found = Object.entries(fields).find(([, { number, wireType }]) => tag === ((number << 3) | wireType));
    if (found === undefined) reader.skipType(tag & 7);
    else values[found[0]] = found[1].read(reader, depth, values[found[0]]);
  }
  return values as ValuesOf<Fields>;
}

function checked<T>(value: T, type: 'string' | 'number' | 'boolean'): T {
  if (typeof value !== type) throw new TypeError(`takes a ${type}`);
  return value;
}
