import { setImmediate } from 'node:timers/promises';
import { type Refusal, SpoolUnavailable } from '../core/source.ts';
import { jsonMessage } from './json-message.ts';
import type { Sized } from './messages.ts';
import type { PartialSuccess } from './otlp-messages.ts';
import { protobufMessage } from './protobuf-message.ts';
import type { Format, Received } from './received.ts';
import type { Signal } from './signal.ts';

/** So many are looked at before whatever else waits has its turn. */
const ITEMS_A_TURN = 2000;
/** A record of two bytes costs as much as any; no client has so many in a request. */
const MAX_ITEMS = 250_000;
const MAX_REASONS = 3;

/** The request is broken, or has too much, at a place that has not been taken. */
class Unfit extends Error {
  readonly received: Received;
  constructor(received: Received & { readonly kind: 'invalid' | 'too large' }) {
    super(received.message);
    this.received = received;
  }
}

/**
 * Takes a request, decoding it as it goes. When the spool is full in the middle of it the client sends it again: what is of it
 * already has the same ids then. Never rejects.
 */
export async function takeRequest(body: Buffer, format: Format, signal: Signal): Promise<Received> {
  const read = () => readable(body, format, signal);
  try {
    const refusals = await signal.take(read(), () => readThrough(read()));
    return { kind: 'taken', ...told(refusals) };
  } catch (error) {
    if (error instanceof Unfit) return error.received;
    if (error instanceof SpoolUnavailable) return { kind: 'busy', message: error.message };
    return { kind: 'busy', message: 'the collector cannot take it now' };
  }
}

/** What is in the request, one after the other. @throws Unfit */
function* readable(body: Buffer, format: Format, signal: Signal): Generator<Sized<unknown>> {
  const { name, request } = signal;
  let count = 0;
  const next = iterating(() =>
    signal.itemsOf(format === 'json' ? jsonMessage(body) : protobufMessage(request, body), body),
  );
  for (let item = next(); item !== undefined; item = next()) {
    if (item === BROKEN) throw new Unfit({ kind: 'invalid', message: `the body is no OTLP ${name} request` });
    if (++count > MAX_ITEMS) {
      throw new Unfit({ kind: 'too large', message: `the request has more than ${MAX_ITEMS} ${name}` });
    }
    yield item;
  }
}

const BROKEN = Symbol('broken');

/** The next one each time; undefined = there is none. */
function iterating<Item>(open: () => Iterable<Item>): () => Item | typeof BROKEN | undefined {
  let items: Iterator<Item> | undefined;
  return () => {
    try {
      items ??= open()[Symbol.iterator]();
      const { done, value } = items.next();
      return done === true ? undefined : value;
    } catch {
      return BROKEN;
    }
  };
}

/** Nothing is to be taken of a request that is unfit further on. */
async function readThrough(items: Iterable<unknown>): Promise<void> {
  let count = 0;
  for (const _item of items) if (++count % ITEMS_A_TURN === 0) await setImmediate();
}

function told(refusals: readonly Refusal[]): PartialSuccess {
  const reasons = new Set<string>();
  for (const { reason } of refusals) if (reasons.size < MAX_REASONS) reasons.add(reason);
  return { rejected: refusals.length, message: [...reasons].join('; ') };
}
