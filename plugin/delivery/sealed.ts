import { crc32 } from 'node:zlib';

/** A text with its checksum before it: whoever reads it knows whether all of it is there. */
export function seal(text: string): string {
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}`;
}

/** undefined = one byte of it is wrong. */
export function unseal(sealed: string): string | undefined {
  const text = sealed.slice(9);
  return sealed === seal(text) ? text : undefined;
}
