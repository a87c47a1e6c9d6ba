import { parseExactJson } from '../core/exact-json.ts';
import { MAX_DECODED_BYTES, type Message, TooLarge, WALKED } from './messages.ts';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const SPACES = new Set([0x20, 0x0a, 0x0d, 0x09]);
/** No message that is walked through has more fields than a dozen. */
const MAX_MEMBERS = 1000;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** A request in OTLP's JSON: ranges of the text are found by its brackets, and parsed when they are asked for. */
export function jsonMessage(body: Buffer, start = 0, end = body.length): Message {
  return {
    bytes: end - start,
    head() {
      const fields: Record<string, unknown> = {};
      let bytes = 0;
      for (const { name, value } of membersOf(body, start, end)) {
        if (WALKED.has(name)) continue;
        bytes += value.end - value.start;
        if (bytes > MAX_DECODED_BYTES) throw new TooLarge();
        Object.defineProperty(fields, name, { value: parsed(body, value), enumerable: true, configurable: true });
      }
      return fields;
    },
    whole: () => objectOf(body, { start, end }),
    *each(field) {
      for (const { name, value } of membersOf(body, start, end)) {
        if (name !== field) continue;
        const first = body[value.start];
        if (first === OPEN_OBJECT) yield jsonMessage(body, value.start, value.end);
        else if (first === OPEN_LIST) yield* itemsOf(body, value);
        else if (parsed(body, value) !== null) throw new SyntaxError(`${field} is no list`);
      }
    },
  };
}

function* itemsOf(body: Buffer, { start, end }: Range): Generator<Message> {
  let at = spaces(body, start + 1);
  if (body[at] === CLOSE_LIST) return;
  while (at < end) {
    const stop = valueEnd(body, at);
    yield jsonMessage(body, at, stop);
    const next = spaces(body, stop);
    if (body[next] === CLOSE_LIST) return;
    if (body[next] !== COMMA) throw new SyntaxError('a list is broken');
    at = spaces(body, next + 1);
  }
  throw new SyntaxError('a list does not end');
}

function* membersOf(
  body: Buffer,
  start: number,
  end: number,
): Generator<{ readonly name: string; readonly value: Range }> {
  let at = spaces(body, start);
  if (body[at] !== OPEN_OBJECT) throw new SyntaxError('is no object');
  at = spaces(body, at + 1);
  if (body[at] === CLOSE_OBJECT) return;
  for (let count = 0; count < MAX_MEMBERS && at < end; count++) {
    if (body[at] !== QUOTE) throw new SyntaxError('an object is broken');
    const nameEnd = valueEnd(body, at);
    if (nameEnd - at > MAX_DECODED_BYTES) throw new TooLarge();
    const name = String(parsed(body, { start: at, end: nameEnd }));
    const colon = spaces(body, nameEnd);
    if (body[colon] !== COLON) throw new SyntaxError('an object is broken');
    const valueStart = spaces(body, colon + 1);
    const stop = valueEnd(body, valueStart);
    yield { name, value: { start: valueStart, end: stop } };
    const next = spaces(body, stop);
    if (body[next] === CLOSE_OBJECT) return;
    if (body[next] !== COMMA) throw new SyntaxError('an object is broken');
    at = spaces(body, next + 1);
  }
  throw new SyntaxError('an object does not end');
}

function spaces(body: Buffer, from: number): number {
  let at = from;
  while (SPACES.has(body[at] ?? 0)) at++;
  return at;
}

/** Behind the value that begins here: by its brackets, or by what may stand behind a number or a word. */
function valueEnd(body: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = stringEnd(body, at);
      if (depth === 0) return at + 1;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || SPACES.has(byte ?? 0))) return at;
  }
  return body.length;
}

/** The place of the closing quote. */
function stringEnd(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    const byte = body[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at;
  }
  throw new SyntaxError('a text does not end');
}

function objectOf(body: Buffer, range: Range): Readonly<Record<string, unknown>> {
  const value = parsed(body, range);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('is no object');
  return value as Readonly<Record<string, unknown>>;
}

function parsed(body: Buffer, { start, end }: Range): unknown {
  if (end - start > MAX_DECODED_BYTES) throw new TooLarge();
  return parseExactJson(body.toString('utf8', start, end));
}
