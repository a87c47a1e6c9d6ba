/** A 64-bit hash in two halves; reused by each call, so that the hot path makes no garbage. */
export interface IdentityHash {
  high: number;
  low: number;
}

/**
 * Hashes what makes an event the same event. Two murmur-like streams over the UTF-16 text, two units a step.
 * Equal identities have equal hashes; equal hashes are looked into, so a collision costs time, never an event.
 * @param seed random for each database, so that nobody can prepare ids that collide
 */
export function hashIdentity(source: string, id: string, seed: number, out: IdentityHash): void {
  let high = mixText(seed, source, 0xcc9e2d51, 0x1b873593);
  let low = mixText(~seed, source, 0x85ebca6b, 0xc2b2ae35);
  // The border between the two texts: "ab"+"c" and "a"+"bc" are different events.
  high = Math.imul(high ^ source.length, 0x9e3779b1);
  low = Math.imul(low ^ source.length, 0x27d4eb2f);
  high = mixText(high, id, 0xcc9e2d51, 0x1b873593);
  low = mixText(low, id, 0x85ebca6b, 0xc2b2ae35);
  out.high = finish(high ^ id.length ^ (low >>> 3));
  out.low = finish(low ^ Math.imul(high, 0x9e3779b1));
}

/** 52 bits of a hash, as a number that is exact. */
export function hashNumber({ high, low }: IdentityHash): number {
  return (high >>> 0) * 0x100000 + (low >>> 12);
}

function mixText(state: number, text: string, multiplierA: number, multiplierB: number): number {
  let mixed = state;
  const { length } = text;
  for (let index = 0; index < length; index += 2) {
    // Past the end charCodeAt gives NaN, which "|" takes as 0.
    let block = text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16);
    block = Math.imul(block, multiplierA);
    block = (block << 15) | (block >>> 17);
    mixed ^= Math.imul(block, multiplierB);
    mixed = (mixed << 13) | (mixed >>> 19);
    mixed = (Math.imul(mixed, 5) + 0xe6546b64) | 0;
  }
  return mixed;
}

function finish(state: number): number {
  let mixed = state ^ (state >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
