import { textFrom } from '../text-bytes.ts';

/** MessagePack as the protocol MsgPack:1 uses it: no extension types, and keys of maps are text. */

/** Deeper than anything that Kong or a plugin sends; a message without a bound could end the stack. */
const MAX_DEPTH = 64;

/** The bytes of a value. `undefined` in a list is nil, and in an object it is left out. */
export function encode(value: unknown): Buffer {
  const parts: Buffer[] = [];
  write(parts, value, 0);
  return Buffer.concat(parts);
}

function write(parts: Buffer[], value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`nests deeper than ${MAX_DEPTH}`);
  if (value === null || value === undefined) parts.push(Buffer.of(0xc0));
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') parts.push(numberBytes(value));
  else if (typeof value === 'string') {
    const text = Buffer.from(value);
    parts.push(header(text.length, { fix: 0xa0, fixMax: 31, bits8: 0xd9, bits16: 0xda, bits32: 0xdb }), text);
  } else if (value instanceof Uint8Array) {
    parts.push(header(value.length, { bits8: 0xc4, bits16: 0xc5, bits32: 0xc6 }), Buffer.from(value));
  } else if (Array.isArray(value)) {
    parts.push(header(value.length, { fix: 0x90, fixMax: 15, bits16: 0xdc, bits32: 0xdd }));
    for (const item of value) write(parts, item, depth + 1);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    parts.push(header(entries.length, { fix: 0x80, fixMax: 15, bits16: 0xde, bits32: 0xdf }));
    for (const [key, item] of entries) {
      write(parts, key, depth + 1);
      write(parts, item, depth + 1);
    }
  } else throw new TypeError(`cannot carry a ${typeof value}`);
}

interface Forms {
  readonly fix?: number;
  readonly fixMax?: number;
  readonly bits8?: number;
  readonly bits16: number;
  readonly bits32: number;
}

function header(length: number, { fix, fixMax = 0, bits8, bits16, bits32 }: Forms): Buffer {
  if (fix !== undefined && length <= fixMax) return Buffer.of(fix | length);
  if (bits8 !== undefined && length <= 0xff) return Buffer.of(bits8, length);
  if (length <= 0xffff) return Buffer.of(bits16, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(5);
  bytes[0] = bits32;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function numberBytes(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7f) return Buffer.of(value);
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
    const bytes = Buffer.alloc(5, 0xce);
    bytes.writeUInt32BE(value, 1);
    return bytes;
  }
  if (Number.isInteger(value) && value < 0 && value >= -0x80000000) {
    const bytes = Buffer.alloc(5, 0xd2);
    bytes.writeInt32BE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** The first value in the bytes and where it ends; `undefined` when its end is not there yet. @throws Error */
export function decode(bytes: Buffer): { readonly value: unknown; readonly end: number } | undefined {
  const reader: Reader = { bytes, at: 0 };
  try {
    return { value: read(reader, 0), end: reader.at };
  } catch (error) {
    if (error === MORE) return undefined;
    throw error;
  }
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

/** Thrown when the bytes end within a value. */
const MORE = new Error('more bytes are needed');

function take(reader: Reader, length: number): number {
  const from = reader.at;
  if (from + length > reader.bytes.length) throw MORE;
  reader.at = from + length;
  return from;
}

const LENGTH_BYTES = [1, 2, 4] as const;

function read(reader: Reader, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Error(`a message nests deeper than ${MAX_DEPTH}`);
  const { bytes } = reader;
  const tag = bytes[take(reader, 1)] ?? 0;
  if (tag <= 0x7f) return tag;
  if (tag <= 0x8f) return readMap(reader, tag & 0x0f, depth);
  if (tag <= 0x9f) return readList(reader, tag & 0x0f, depth);
  if (tag <= 0xbf) return readText(reader, tag & 0x1f);
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6: {
      const length = readUnsigned(reader, LENGTH_BYTES[tag - 0xc4] ?? 4);
      const from = take(reader, length);
      return bytes.subarray(from, from + length);
    }
    case 0xca:
      return bytes.readFloatBE(take(reader, 4));
    case 0xcb:
      return bytes.readDoubleBE(take(reader, 8));
    case 0xcc:
    case 0xcd:
    case 0xce:
      return readUnsigned(reader, LENGTH_BYTES[tag - 0xcc] ?? 4);
    case 0xcf:
      return Number(bytes.readBigUInt64BE(take(reader, 8)));
    case 0xd0:
      return bytes.readInt8(take(reader, 1));
    case 0xd1:
      return bytes.readInt16BE(take(reader, 2));
    case 0xd2:
      return bytes.readInt32BE(take(reader, 4));
    case 0xd3:
      return Number(bytes.readBigInt64BE(take(reader, 8)));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readText(reader, readUnsigned(reader, LENGTH_BYTES[tag - 0xd9] ?? 4));
    case 0xdc:
    case 0xdd:
      return readList(reader, readUnsigned(reader, tag === 0xdc ? 2 : 4), depth);
    case 0xde:
    case 0xdf:
      return readMap(reader, readUnsigned(reader, tag === 0xde ? 2 : 4), depth);
    default:
      throw new Error(`a message has the type ${tag.toString(16)}, which the protocol does not use`);
  }
}

function readUnsigned(reader: Reader, length: 1 | 2 | 4): number {
  return reader.bytes.readUIntBE(take(reader, length), length);
}

function readText(reader: Reader, length: number): string {
  const from = take(reader, length);
  return textFrom(reader.bytes.subarray(from, from + length));
}

function readList(reader: Reader, length: number, depth: number): unknown[] {
  const list: unknown[] = [];
  for (let index = 0; index < length; index++) list.push(read(reader, depth + 1));
  return list;
}

function readMap(reader: Reader, length: number, depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (let index = 0; index < length; index++) {
    const key = String(read(reader, depth + 1));
    const value = read(reader, depth + 1);
    // Not by assignment: clients choose the names of headers and query arguments, and one may be __proto__.
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return map;
}
