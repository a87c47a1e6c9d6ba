import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isLongJson, jsonPieces } from '../json-pieces.ts';
import { isTurnUsedUp, nextTurn } from '../turn.ts';
import type { AppEnv } from './env.ts';
import { streamAsTaken } from './slow-client.ts';

/** What goes to the client at a time. */
const PIECE_LENGTH = 65_536;

const values = new WeakMap<Response, object>();

/** As `c.json`, for answers that may be long: text is made as the client takes it, and others have their turn between. */
export function jsonAnswer(c: Context<AppEnv>, value: object, status: ContentfulStatusCode = 200): Response {
  const response = isLongJson(value)
    ? c.body(jsonStream(value), status, { 'Content-Type': 'application/json' })
    : c.json(value, status);
  values.set(response, value);
  return response;
}

/** What an answer was made of, so that nobody in this process has to read it. */
export function answeredValue(response: Response): object | undefined {
  return values.get(response);
}

/** A client that takes nothing for a minute is left: a long answer is tens of megabytes while it waits. */
export function jsonStream(value: object): ReadableStream<Uint8Array> {
  let pieces: Generator<string> | undefined = jsonPieces(value);
  return streamAsTaken({
    async next() {
      let text = '';
      while (text.length < PIECE_LENGTH) {
        if (isTurnUsedUp()) await nextTurn();
        const next = pieces?.next();
        // Left, or cancelled, meanwhile.
        if (next === undefined) return { isLast: false };
        if (next.done === true) return { piece: text === '' ? undefined : Buffer.from(text), isLast: true };
        text += next.value;
      }
      return { piece: Buffer.from(text), isLast: false };
    },
    drop() {
      pieces = undefined;
    },
  });
}
