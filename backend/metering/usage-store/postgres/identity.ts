import { hash } from 'node:crypto';

/** 128 bits of SHA-256 over texts, each with its length before it, in the form of a UUID. */
export function hashTexts(...texts: readonly string[]): string {
  let joined = '';
  for (const text of texts) joined += `${text.length}:${text}`;
  const hex = hash('sha256', joined, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
