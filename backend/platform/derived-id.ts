import { createHash } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An id in the form of a ULID that is always the same for the same text: for parts that have no row of their own. */
export function derivedId(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  const letters = [...bytes.subarray(0, 26)].map((byte, index) => CROCKFORD[index === 0 ? byte % 8 : byte % 32]);
  return letters.join('');
}
