import { monotonicFactory } from 'ulid';
import type { Clock } from './clock.ts';

/** The form of every id in the API: an upper-case ULID. */
export const ULID_PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** Makes ids that sort by creation time, also within one millisecond and when the clock steps back. */
export type NewId = () => string;

/** @param clock gives the time part of the ids. */
export function createIds(clock: Clock): NewId {
  const next = monotonicFactory();
  return () => next(clock.nowMs());
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An id for what has none of its own: always the same one for a hash. @param hash at least 128 bits in hexadecimal */
export function idOfHash(hash: string): string {
  let rest = BigInt(`0x${hash.slice(0, 32)}`);
  let id = '';
  for (let place = 0; place < 26; place++) {
    id = `${CROCKFORD[Number(rest & 31n)]}${id}`;
    rest >>= 5n;
  }
  return id;
}
