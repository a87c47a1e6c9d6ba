import { promisify } from 'node:util';
import { gunzip as gunzipWithCallback } from 'node:zlib';
import { parseExactJson } from '../core/exact-json.ts';
import { type SourceContext, SpoolUnavailable } from '../core/source.ts';
import { logRecordsOf } from './log-records.ts';
import { decodeRequest, type LogsRequest, type PartialSuccess } from './otlp-messages.ts';

/** What has become of one request. Only `taken` has been stored, and all of it is on disk. */
export type Received =
  | ({ readonly kind: 'taken' } & PartialSuccess)
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'too large'; readonly message: string }
  | { readonly kind: 'busy'; readonly message: string };

/** Takes requests, however they came. Never rejects. */
export interface Receiver {
  readonly maxMessageBytes: number;
  /** Counts bytes that are held for a request; false = there are too many, and it is to come again later. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  receive(body: Buffer, format: 'json' | 'protobuf', isZipped: boolean): Promise<Received>;
}

export interface ReceiverSettings {
  readonly maxMessageBytes: number;
  readonly idAttribute: string | undefined;
}

/** Requests of all connections, as they came in; decoded they take a few times as much. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** Decoded, a request takes some ten times as much. */
const LARGE_BYTES = 1024 * 1024;
const MAX_REASONS = 3;
export const tooLarge = (maxBytes: number) =>
  ({ kind: 'too large', message: `the message is larger than ${maxBytes} bytes` }) as const;
export const TOO_MUCH = { kind: 'busy', message: 'too much is being worked on' } as const;
const gunzip = promisify(gunzipWithCallback);

export function createReceiver(
  { maxMessageBytes, idAttribute }: ReceiverSettings,
  context: Pick<SourceContext, 'tryTake'>,
): Receiver {
  let held = 0;
  // One at a time: a few kilobytes may unpack to the most that a message may have.
  let turn: Promise<unknown> = Promise.resolve();
  // Of large requests one at a time is in memory in its decoded form.
  let largeTurn: Promise<unknown> = Promise.resolve();

  // One message may always be held, however large messages may be.
  function hold(bytes: number): boolean {
    if (held > 0 && held + bytes > MAX_HELD_BYTES) return false;
    held += bytes;
    return true;
  }

  function receive(body: Buffer, format: 'json' | 'protobuf', isZipped: boolean): Promise<Received> {
    if (!isZipped) return take(body, format);
    const unpacking = turn.then(() => unpacked(body, maxMessageBytes));
    turn = unpacking;
    return unpacking.then((plain) => {
      if (plain === 'too large') return tooLarge(maxMessageBytes);
      if (plain === 'broken') return { kind: 'invalid', message: 'the body is no gzip' };
      if (!hold(plain.length)) return TOO_MUCH;
      return take(plain, format).finally(() => {
        held -= plain.length;
      });
    });
  }

  function take(plain: Buffer, format: 'json' | 'protobuf'): Promise<Received> {
    if (plain.length < LARGE_BYTES) return store(plain, format);
    const storing = largeTurn.then(() => store(plain, format));
    largeTurn = storing;
    return storing;
  }

  async function store(plain: Buffer, format: 'json' | 'protobuf'): Promise<Received> {
    const records = decoded(plain, format, idAttribute);
    if (records === undefined) return { kind: 'invalid', message: 'the body is no OTLP logs request' };
    if (records.length === 0) return { kind: 'taken', rejected: 0, message: '' };
    try {
      const { refusals } = await context.tryTake({ records });
      const reasons = [...new Set(refusals.map(({ reason }) => reason))].slice(0, MAX_REASONS);
      return { kind: 'taken', rejected: refusals.length, message: reasons.join('; ') };
    } catch (error) {
      if (error instanceof SpoolUnavailable) return { kind: 'busy', message: error.message };
      return { kind: 'busy', message: 'the collector cannot take it now' };
    }
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

function decoded(body: Buffer, format: 'json' | 'protobuf', idAttribute: string | undefined) {
  try {
    const request = format === 'json' ? (parseExactJson(body.toString('utf8')) as LogsRequest) : decodeRequest(body);
    return typeof request === 'object' && request !== null ? logRecordsOf(request, body, idAttribute) : undefined;
  } catch {
    return undefined;
  }
}
