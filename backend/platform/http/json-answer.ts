import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isLongJson, jsonPieces } from '../json-pieces.ts';
import { isTurnUsedUp, nextTurn } from '../turn.ts';
import type { AppEnv } from './env.ts';

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

function jsonStream(value: object): ReadableStream<Uint8Array> {
  const pieces = jsonPieces(value);
  return new ReadableStream({
    async pull(controller) {
      let text = '';
      while (text.length < PIECE_LENGTH) {
        if (isTurnUsedUp()) await nextTurn();
        const next = pieces.next();
        if (next.done === true) {
          if (text !== '') controller.enqueue(Buffer.from(text));
          controller.close();
          return;
        }
        text += next.value;
      }
      controller.enqueue(Buffer.from(text));
    },
    cancel() {
      pieces.return(undefined);
    },
  });
}
