import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from './clock.ts';

/** What a sender may be called, in a header and in the name of a folder. */
export const NODE_NAME = /^[\w.:@-]{1,128}$/;

/** The host's name with what a sender's name may not have replaced. */
export function defaultNode(): string {
  const name = hostname()
    .replaceAll(/[^\w.:@-]/g, '-')
    .slice(0, 128);
  return name === '' ? 'unnamed' : name;
}

/** Nine digits in base 36 last until the year 5188. */
const TIME_DIGITS = 9;

/** An id that no other process of any machine has, and that sorts by the time it was made. */
export function newProcessId(clock: Clock): string {
  return `${clock.epochMs().toString(36).padStart(TIME_DIGITS, '0')}-${randomBytes(8).toString('hex')}`;
}
