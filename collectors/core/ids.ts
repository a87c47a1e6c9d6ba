import { hash } from 'node:crypto';

/** 22 characters of base64url are 132 bits: two of 10^15 ids are alike with a chance of 1 in 10^10. */
const ID_LENGTH = 22;

/**
 * The id of what is metered, from its parts, the collector's name first. The version of the mapping is no part of it: a
 * changed mapping must not bill the past again.
 */
export function idOf(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, ID_LENGTH);
}
