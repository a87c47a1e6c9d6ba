import { parseExactJson } from '../core/exact-json.ts';

/** One row of an object, or why there is none where one should be. */
export type Row =
  | { readonly kind: 'row'; readonly value: unknown /** Nearly its bytes. */; readonly size: number }
  | { readonly kind: 'broken'; readonly reason: string; readonly text: string };

/** Rows are things of some hundred bytes; a longer one is no row of usage, and must not fill the memory. */
export const MAX_ROW_BYTES = 1024 * 1024;
/** Of a row that is broken so much is kept for who looks into it. */
const MAX_SHOWN = 1000;

/** The object cannot be read as what it is said to be: it waits, and the others go on. */
export class ObjectUnreadable extends Error {}

export function brokenRow(reason: string, text: string): Row {
  return { kind: 'broken', reason, text: text.slice(0, MAX_SHOWN) };
}

/** JSON on each line; blank lines are none, whatever ends them. */
export async function* rowsOfLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Row> {
  for await (const line of linesOf(bytes)) {
    if (line === TOO_LONG) yield brokenRow(`the row is longer than ${MAX_ROW_BYTES} bytes`, '');
    else if (line.trim() !== '') yield jsonRow(line);
  }
}

const TOO_LONG = Symbol('too long');
const NEWLINE = 10;

async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string | typeof TOO_LONG> {
  let parts: Buffer[] = [];
  let length = 0;
  let isTooLong = false;
  const take = (): string | typeof TOO_LONG => {
    const line = isTooLong ? TOO_LONG : Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    isTooLong = false;
    return line;
  };
  const add = (part: Buffer) => {
    length += part.length;
    if (length > MAX_ROW_BYTES) {
      isTooLong = true;
      parts = [];
    } else parts.push(part);
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, to));
      yield take();
      from = to + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take();
}

function jsonRow(text: string): Row {
  try {
    return { kind: 'row', value: parseExactJson(text.replace(/^\uFEFF/, '')), size: text.length };
  } catch {
    return brokenRow('the row is no JSON', text);
  }
}

/** documents: values one behind the other; array: the items of one; either: what the first character says. */
export type JsonShape = 'documents' | 'array' | 'either';

/**
 * The values of a JSON text, without having all of them in memory.
 * @throws ObjectUnreadable where the text ends within a value, or has not the shape
 */
export async function* rowsOfJson(bytes: AsyncIterable<Buffer>, shape: JsonShape): AsyncGenerator<Row> {
  const splitter = createSplitter(shape);
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    for (const character of decoder.decode(chunk, { stream: true })) {
      const row = splitter.take(character);
      if (row !== undefined) yield row;
    }
  }
  const last = splitter.end();
  if (last !== undefined) yield last;
}

/** Finds where values end. Whether they are JSON is for the parser to say. */
function createSplitter(shape: JsonShape) {
  let isArray = shape === 'array';
  let isBegun = false;
  let isOver = false;
  let depth = 0;
  let isInText = false;
  let isEscaped = false;
  let value: string[] = [];
  let length = 0;

  function finished(): Row | undefined {
    if (length === 0) return undefined;
    const isTooLong = length > MAX_ROW_BYTES;
    const row = isTooLong
      ? brokenRow(`the row is longer than ${MAX_ROW_BYTES} characters`, '')
      : jsonRow(value.join(''));
    value = [];
    length = 0;
    return row;
  }

  function add(character: string): void {
    length++;
    if (length <= MAX_ROW_BYTES) value.push(character);
  }

  function takeInText(character: string): void {
    add(character);
    if (isEscaped) isEscaped = false;
    else if (character === '\\') isEscaped = true;
    else if (character === '"') isInText = false;
  }

  /** The first character that is not blank; true = it opened the array. */
  function begin(character: string): boolean {
    isBegun = true;
    if (shape === 'either') isArray = character === '[';
    if (isArray && character !== '[') throw new ObjectUnreadable('is no JSON array');
    return isArray;
  }

  function takeBorder(character: string): Row | undefined {
    if (character === ']') isOver = true;
    return finished();
  }

  return {
    take(character: string): Row | undefined {
      if (isInText) {
        takeInText(character);
        return undefined;
      }
      const isBlank = /[\s\uFEFF]/.test(character);
      if (!isBegun && (isBlank || begin(character))) return undefined;
      if (isOver && !isBlank) throw new ObjectUnreadable('has more than one JSON array');
      const isBorder = isArray ? character === ',' || character === ']' : isBlank;
      if (depth === 0 && isBorder) return takeBorder(character);
      if (depth === 0 && isBlank) return undefined;
      add(character);
      if (character === '"') isInText = true;
      else if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') depth--;
      if (depth < 0) throw new ObjectUnreadable('is no JSON');
      return depth === 0 && !isInText && !isArray && /[}\]]/.test(character) ? finished() : undefined;
    },
    end(): Row | undefined {
      if (depth > 0 || isInText || (isArray && !isOver)) throw new ObjectUnreadable('the JSON is cut off');
      return finished();
    },
  };
}

/** The object as one text. @throws ObjectUnreadable when it is longer than a row may be */
export async function* rowOfAll(bytes: AsyncIterable<Buffer>): AsyncGenerator<Row> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > MAX_ROW_BYTES) throw new ObjectUnreadable(`is longer than ${MAX_ROW_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (length > 0) yield { kind: 'row', value: Buffer.concat(chunks).toString('utf8'), size: length };
}
