import { MalformedAnswer } from './malformed-answer.ts';

/** An answer in pieces, of which each is small enough to be read at once. */
export interface SplitAnswer {
  /** All but the items of `data.result`. */
  readonly frame: unknown;
  /** The JSON of each item of `data.result`. */
  readonly items: Iterable<string>;
}

/** A series with a day of samples a second has 2 MB. */
const MAX_ITEM_BYTES = 4 * 1024 * 1024;
/** More series than fit into the largest answer with one label each. */
const MAX_ITEMS = 200_000;
const MAX_FRAME_BYTES = 1024 * 1024;
/** root, data, result, series, values, a pair; whatever is deeper is no answer, and costs memory without end. */
const MAX_DEPTH = 8;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Items of the result stand within the root, `data` and `result`. */
const ITEM_DEPTH = 3;

/**
 * Looks for `data.result` and its items without building anything, so that memory is bounded by one series whatever comes.
 * @throws MalformedAnswer when it is nested too deeply, or has a piece that is too large
 */
export function splitAnswer(body: Buffer): SplitAnswer {
  const found = findItems(body);
  if (found === undefined) throw new MalformedAnswer('the answer has no result');
  const { first, end, cuts } = found;
  if (first + body.length - end > MAX_FRAME_BYTES)
    throw new MalformedAnswer('the answer has too much beside its result');
  const frame = parsed(`${body.toString('utf8', 0, first)}${body.toString('utf8', end)}`);
  const ends = [...cuts, end];
  return { frame, items: { [Symbol.iterator]: () => itemsOf(body, first, ends) } };
}

interface Found {
  /** Behind the bracket that opens the result, and at the one that closes it. */
  readonly first: number;
  readonly end: number;
  /** Commas between items. */
  readonly cuts: readonly number[];
}

function findItems(body: Buffer): Found | undefined {
  /** The last text that was seen at each depth: before a bracket it is the key that the bracket stands behind. */
  const keys: string[] = [];
  const cuts: number[] = [];
  let found: Found | undefined;
  let first: number | undefined;
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE: {
        const end = endOfText(body, at);
        // Keys that are looked for are short, and stand outside of items.
        if (depth < ITEM_DEPTH) keys[depth] = end - at < 20 ? body.toString('latin1', at + 1, end) : '';
        at = end;
        break;
      }
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) throw new MalformedAnswer('the answer is nested too deeply');
        if (depth === ITEM_DEPTH && body[at] === OPEN_ARRAY && keys[1] === 'data' && keys[2] === 'result') {
          if (found !== undefined || first !== undefined) throw new MalformedAnswer('the answer has two results');
          first = at + 1;
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        if (depth === ITEM_DEPTH && first !== undefined && found === undefined) found = { first, end: at, cuts };
        depth--;
        break;
      case COMMA:
        if (depth === ITEM_DEPTH && first !== undefined && found === undefined && cuts.push(at) >= MAX_ITEMS) {
          throw new MalformedAnswer('the answer has too many series');
        }
        break;
      default:
    }
  }
  return found;
}

/** The quote that ends the text which begins here. */
function endOfText(body: Buffer, start: number): number {
  for (let end = start + 1; ; end++) {
    end = body.indexOf(QUOTE, end);
    if (end === -1) throw new MalformedAnswer('the answer is no JSON');
    let escapes = 0;
    while (body[end - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
}

function* itemsOf(body: Buffer, first: number, ends: readonly number[]): Generator<string, undefined> {
  let start = first;
  for (const end of ends) {
    if (end - start > MAX_ITEM_BYTES) throw new MalformedAnswer('a series of the answer is too large');
    const text = body.toString('utf8', start, end).trim();
    // An empty result; between two commas JSON.parse refuses it.
    if (text !== '' || ends.length > 1) yield text;
    start = end + 1;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedAnswer('the answer is no JSON');
  }
}
