import { promisify } from 'node:util';
import { gunzip as gunzipWithCallback } from 'node:zlib';
import type { Format, Received } from './received.ts';
import type { Signal } from './signal.ts';
import { takeRequest } from './take-request.ts';

/** Takes requests, however they came. Never rejects. */
export interface Receiver {
  readonly maxMessageBytes: number;
  /** Counts bytes that are held for a request; false = there are too many, and it is to come again later. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  receive(body: Buffer, format: Format, isZipped: boolean, signal: Signal): Promise<Received>;
}

/** Requests of all connections, as they came in and unpacked; they are decoded a piece at a time. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** Smaller ones are decoded within the call. */
const LARGE_BYTES = 1024 * 1024;
export const tooLarge = (maxBytes: number) =>
  ({ kind: 'too large', message: `the message is larger than ${maxBytes} bytes` }) as const;
export const TOO_MUCH = { kind: 'busy', message: 'too much is being worked on' } as const;
const gunzip = promisify(gunzipWithCallback);

export function createReceiver(maxMessageBytes: number): Receiver {
  let held = 0;
  // One at a time: a few kilobytes may unpack to the most that a message may have.
  let turn: Promise<unknown> = Promise.resolve();
  // Of large requests one at a time is worked on.
  let largeTurn: Promise<unknown> = Promise.resolve();

  // One message may always be held, however large messages may be.
  function hold(bytes: number): boolean {
    if (held > 0 && held + bytes > MAX_HELD_BYTES) return false;
    held += bytes;
    return true;
  }

  function receive(body: Buffer, format: Format, isZipped: boolean, signal: Signal): Promise<Received> {
    if (!isZipped) return take(body, format, signal);
    const unpacking = turn.then(() => unpacked(body, maxMessageBytes));
    turn = unpacking;
    return unpacking.then((plain) => {
      if (plain === 'too large') return tooLarge(maxMessageBytes);
      if (plain === 'broken') return { kind: 'invalid', message: 'the body is no gzip' };
      if (!hold(plain.length)) return TOO_MUCH;
      return take(plain, format, signal).finally(() => {
        held -= plain.length;
      });
    });
  }

  function take(plain: Buffer, format: Format, signal: Signal): Promise<Received> {
    if (plain.length < LARGE_BYTES) return takeRequest(plain, format, signal);
    const storing = largeTurn.then(() => takeRequest(plain, format, signal));
    largeTurn = storing;
    return storing;
  }

  return {
    maxMessageBytes,
    hold,
    release(bytes) {
      held -= bytes;
    },
    receive,
  };
}

async function unpacked(body: Buffer, maxOutputLength: number): Promise<Buffer | 'too large' | 'broken'> {
  try {
    return await gunzip(body, { maxOutputLength });
  } catch (error) {
    return error instanceof RangeError ? 'too large' : 'broken';
  }
}
