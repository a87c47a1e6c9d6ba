import { isUtf8 } from 'node:buffer';

/**
 * The text that Kong sent. Header values of clients may be in any encoding, and Kong passes their bytes on as they are. Read
 * as UTF-8, every byte that is none would become the same replacement character, and two customers one: M�ller. So
 * such a byte is percent-encoded, and only such a byte.
 */
export function textFrom(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : escaped(buffer);
}

function escaped(buffer: Buffer): string {
  const parts: string[] = [];
  let validFrom = 0;
  let at = 0;
  while (at < buffer.length) {
    const length = lengthOfCharacter(buffer, at);
    if (length > 0) {
      at += length;
      continue;
    }
    parts.push(buffer.toString('utf8', validFrom, at), `%${buffer.toString('hex', at, at + 1).toUpperCase()}`);
    validFrom = ++at;
  }
  parts.push(buffer.toString('utf8', validFrom));
  return parts.join('');
}

/** How many bytes the character takes that begins here; 0 when none does. */
function lengthOfCharacter(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  return length > 0 && at + length <= buffer.length && isUtf8(buffer.subarray(at, at + length)) ? length : 0;
}
