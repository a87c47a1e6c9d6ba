import type { Reader, Writer } from 'protobufjs/minimal.js';
import {
  double,
  flag,
  many,
  mapOf,
  message,
  one,
  readFields,
  text,
  type ValuesOf,
  type WireType,
  writeFields,
} from './wire-types.ts';

/** google.protobuf.Value: anything that JSON can say. Nothing is `undefined`, as with Kong's other protocol. */
export const anyValue: WireType<unknown> = {
  wireType: 2,
  write(writer, value) {
    writer.fork();
    writeAny(writer, value);
    writer.ldelim();
  },
  read(reader, depth) {
    const end = reader.uint32() + reader.pos;
    return readAny(reader, end, depth + 1);
  },
};

/** google.protobuf.Struct and ListValue, as they stand alone in a frame. */
export const structFields = { fields: mapOf(1, anyValue) };
export const listFields = { values: many(1, anyValue) };

const struct = message(structFields);
const list = message(listFields);

/** `null` (field 1) is neither written nor read: Kong takes an empty value for nil, and a written null for a text. */
const VALUE_FIELDS = {
  number: one(2, double),
  text: one(3, text),
  flag: one(4, flag),
  struct: one(5, struct),
  list: one(6, list),
};

export function readAny(reader: Reader, end: number, depth = 0): unknown {
  const {
    number,
    text: string,
    flag: boolean,
    struct: record,
    list: array,
  } = readFields(reader, end, VALUE_FIELDS, depth);
  if (record !== undefined) return record.fields ?? {};
  if (array !== undefined) return array.values ?? [];
  return number ?? string ?? boolean;
}

/** @throws TypeError for what is no JSON: functions, bigints, symbols */
function writeAny(writer: Writer, value: unknown): void {
  if (value !== undefined && value !== null) writeFields(writer, VALUE_FIELDS, variantOf(value));
}

function variantOf(value: unknown): ValuesOf<typeof VALUE_FIELDS> {
  switch (typeof value) {
    case 'number':
      return { number: value };
    case 'string':
      return { text: value };
    case 'boolean':
      return { flag: value };
    case 'object':
      if (Array.isArray(value)) return { list: { values: value as unknown[] } };
      return { struct: { fields: value as Record<string, unknown> } };
    default:
      throw new TypeError(`takes no ${typeof value}`);
  }
}
