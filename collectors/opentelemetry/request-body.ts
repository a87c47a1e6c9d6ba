import type { Readable } from 'node:stream';
import type { Received } from './received.ts';
import { type Receiver, TOO_MUCH, tooLarge } from './receiver.ts';

/** A body that has been read; `release` when it is done with. */
export type ReadBody =
  | { readonly kind: 'read'; readonly body: Buffer; release(): void }
  | { readonly kind: 'refused'; readonly refusal: Extract<Received, { kind: 'too large' | 'busy' }> }
  | { readonly kind: 'broken off' };

/** Reads a body within the receiver's bounds. Never rejects. */
export async function readBody(stream: Readable, receiver: Receiver, maxBytes: number): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isKept = false;
  try {
    // A stream that is not read to its end still has to carry the answer.
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (bytes + chunk.length > maxBytes) return { kind: 'refused', refusal: tooLarge(maxBytes) };
      if (!receiver.hold(chunk.length)) return { kind: 'refused', refusal: TOO_MUCH };
      bytes += chunk.length;
      chunks.push(chunk);
    }
    isKept = true;
    return { kind: 'read', body: Buffer.concat(chunks), release: () => receiver.release(bytes) };
  } catch {
    return { kind: 'broken off' };
  } finally {
    if (!isKept) receiver.release(bytes);
  }
}
