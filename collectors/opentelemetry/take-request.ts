import { setImmediate } from 'node:timers/promises';
import { type Refusal, SpoolUnavailable } from '../core/source.ts';
import { jsonMessage } from './json-message.ts';
import type { Sized } from './messages.ts';
import type { PartialSuccess } from './otlp-messages.ts';
import { protobufMessage } from './protobuf-message.ts';
import type { Format, Received } from './received.ts';
import type { Signal } from './signal.ts';

/** Decoded, mapped and committed at once. A client's batch has 512 as a rule. */
const PIECE_ITEMS = 2000;
const PIECE_BYTES = 512 * 1024;
/** A record of two bytes costs as much as any; no client has so many in a request. */
const MAX_ITEMS = 250_000;
const MAX_REASONS = 3;

/**
 * Takes a request a piece at a time. When it breaks off between two pieces the client sends it again: what is of it already
 * has the same ids then. Never rejects.
 */
export async function takeRequest(body: Buffer, format: Format, signal: Signal): Promise<Received> {
  const open = () =>
    signal.itemsOf(format === 'json' ? jsonMessage(body) : protobufMessage(signal.request, body), body);
  const refusals = createRefusals();
  const items = open()[Symbol.iterator]();
  let piece = nextPiece(items);
  // Nothing is taken of a request that is broken, or too much, further on.
  const count = piece === undefined || piece.isLast ? 0 : await countOf(open());
  if (count !== undefined && count > MAX_ITEMS) {
    return { kind: 'too large', message: `the request has more than ${MAX_ITEMS} ${signal.name}` };
  }
  while (piece !== undefined && count !== undefined) {
    try {
      if (piece.items.length > 0) refusals.add(await signal.take(piece.items));
    } catch (error) {
      if (error instanceof SpoolUnavailable) return { kind: 'busy', message: error.message };
      return { kind: 'busy', message: 'the collector cannot take it now' };
    }
    if (piece.isLast) return { kind: 'taken', ...refusals.told() };
    piece = nextPiece(items);
  }
  return { kind: 'invalid', message: `the body is no OTLP ${signal.name} request` };
}

interface Piece {
  readonly items: readonly unknown[];
  readonly isLast: boolean;
}

/** @returns undefined when the request is broken */
function nextPiece(from: Iterator<Sized<unknown>>): Piece | undefined {
  const items: unknown[] = [];
  let bytes = 0;
  try {
    for (let count = 0; count < PIECE_ITEMS && bytes < PIECE_BYTES; count++) {
      const next = from.next();
      if (next.done === true) return { items, isLast: true };
      const { item } = next.value;
      if (item !== undefined) items.push(item);
      bytes += next.value.bytes;
    }
  } catch {
    return undefined;
  }
  return { items, isLast: false };
}

/** @returns undefined when the request is broken */
async function countOf(items: Iterable<Sized<unknown>>): Promise<number | undefined> {
  let count = 0;
  try {
    for (const _item of items) {
      if (++count > MAX_ITEMS) break;
      if (count % PIECE_ITEMS === 0) await setImmediate();
    }
  } catch {
    return undefined;
  }
  return count;
}

function createRefusals() {
  const reasons = new Set<string>();
  let rejected = 0;
  return {
    add(refusals: readonly Refusal[]): void {
      rejected += refusals.length;
      for (const { reason } of refusals) if (reasons.size < MAX_REASONS) reasons.add(reason);
    },
    told: (): PartialSuccess => ({ rejected, message: [...reasons].join('; ') }),
  };
}
