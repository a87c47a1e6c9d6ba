import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { estimatedLength, isLongJson, jsonPieces } from '../json-pieces.ts';
import { isTurnUsedUp, nextTurn } from '../turn.ts';
import { requireAnswerRoom } from './answer-room.ts';
import type { AppEnv } from './env.ts';
import { bytesAsTaken, streamAsTaken } from './slow-client.ts';

/** What goes to the client at a time. */
const PIECE_LENGTH = 65_536;
/** Objects take about so much more than their text. */
const BYTES_OF_CHARACTER = 2;

const values = new WeakMap<Response, object>();

/**
 * What `c.json` of our operations is. An answer that may be long is made as the client takes it, and others have their turn
 * between; one that is large in few pieces waits for the client in the same way, and counts as much.
 * @throws RequestProblem 503 while too much waits for clients, but to what has changed something
 */
export function jsonAnswer(c: Context<AppEnv>, value: object, status: ContentfulStatusCode = 200): Response {
  const response = c.body(jsonBody(c, value), status, { 'Content-Type': 'application/json' });
  values.set(response, value);
  return response;
}

function jsonBody(c: Context<AppEnv>, value: object): string | ReadableStream<Uint8Array> {
  const isLong = isLongJson(value);
  const text = isLong ? '' : JSON.stringify(value);
  if (!isLong && text.length <= PIECE_LENGTH) return text;
  if (c.get('isReading') === true) requireAnswerRoom();
  return isLong ? jsonStream(value) : bytesAsTaken(Buffer.from(text));
}

/** What an answer was made of, so that nobody in this process has to read it. */
export function answeredValue(response: Response): object | undefined {
  return values.get(response);
}

/** A client that takes nothing for a minute is left: a long answer is tens of megabytes while it waits. */
export function jsonStream(value: object): ReadableStream<Uint8Array> {
  let pieces: Generator<string> | undefined = jsonPieces(value);
  const bytes = estimatedLength(value) * BYTES_OF_CHARACTER;
  return streamAsTaken({
    // The whole value, until its last piece.
    heldBytes: () => bytes,
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
