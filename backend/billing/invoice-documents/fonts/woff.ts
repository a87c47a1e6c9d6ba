import { inflateSync } from 'node:zlib';

const WOFF = 0x774f4646;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 16;
const WOFF_HEADER_BYTES = 44;
const WOFF_ENTRY_BYTES = 20;

/** A font as TrueType or OpenType: what is packed as WOFF 1.0 (W3C, section 5) is unpacked. */
export function unpacked(file: Buffer): Buffer {
  if (file.readUInt32BE(0) !== WOFF) return file;
  const count = file.readUInt16BE(12);
  const directory = Buffer.alloc(HEADER_BYTES + ENTRY_BYTES * count);
  file.copy(directory, 0, 4, 8);
  directory.writeUInt16BE(count, 4);
  const parts: Buffer[] = [directory];
  let offset = directory.length;
  for (let index = 0; index < count; index++) {
    const entry = WOFF_HEADER_BYTES + WOFF_ENTRY_BYTES * index;
    const [start, packedLength, length] = [4, 8, 12].map((at) => file.readUInt32BE(entry + at)) as [
      number,
      number,
      number,
    ];
    const bytes = file.subarray(start, start + packedLength);
    const target = HEADER_BYTES + ENTRY_BYTES * index;
    file.copy(directory, target, entry, entry + 4);
    directory.writeUInt32BE(file.readUInt32BE(entry + 16), target + 4);
    directory.writeUInt32BE(offset, target + 8);
    directory.writeUInt32BE(length, target + 12);
    const table = packedLength < length ? inflateSync(bytes, { maxOutputLength: length }) : bytes;
    // Tables begin at multiples of four.
    parts.push(table, Buffer.alloc(-length & 3));
    offset += length + (-length & 3);
  }
  return Buffer.concat(parts);
}
