import { randomBytes } from 'node:crypto';
import { type ScanBounds, scanJson } from './json-scan.ts';

/**
 * JSON at our borders: bytes in, values out, without losing what a double cannot hold. A number literal that a double
 * would change (20 digits, 1e400) stays as written: it is kept as `JSON.rawJSON` and written back digit by digit.
 */

export type JsonProblem =
  | 'invalid UTF-8'
  | 'malformed JSON'
  | 'nested too deeply'
  | 'too many values'
  | 'too many keys';

/** Bodies nested deeper are refused: nothing that we take is, and recursion over what we store must stay bounded. */
export const MAX_JSON_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

// A number literal with 16 digits (around one point or not), or with an exponent: only such a one can differ from its
// double. Literals follow a bracket, a colon, a comma or a blank; a match inside a string costs time, never correctness.
const NEEDS_EXACT_NUMBERS = /(?:^|[[:,\s])-?(?:\d[\d.]{15}|[\d.]+[eE][+-]?\d)/;

export interface JsonBounds extends Partial<ScanBounds> {
  /** Whether numbers are kept as they were written. Where no figure is wanted, doubles do, at a fraction of the cost. */
  isExact?: boolean;
}

/**
 * Decodes and parses a body. Never throws: the problem comes back as text. What it would cost is bounded before
 * anything is parsed.
 */
export function parseJsonBytes(
  bytes: Uint8Array,
  { isExact = true, maxDepth = MAX_JSON_DEPTH, maxValues, maxItems, maxKeys }: JsonBounds = {},
): { value: unknown } | { problem: JsonProblem; detail: string } {
  const scan = scanJson(bytes, { maxDepth, maxValues, maxItems, maxKeys });
  if ('problem' in scan) {
    const { problem } = scan;
    if (problem === 'too many values') return { problem, detail: 'the body has more values than are taken' };
    if (problem === 'too many keys') return { problem, detail: `an object has more than ${maxKeys} keys` };
    return { problem, detail: `the body is nested deeper than ${maxDepth} levels` };
  }
  const literals = isExact ? inexactLiterals(bytes, scan.longNumbers) : [];
  let text: string;
  try {
    text = utf8.decode(literals.length === 0 ? bytes : withMarkers(bytes, literals));
  } catch {
    return { problem: 'invalid UTF-8', detail: 'the body is not valid UTF-8' };
  }
  try {
    const value: unknown = JSON.parse(text);
    return { value: literals.length === 0 ? value : restoreLiterals(value) };
  } catch (error) {
    return { problem: 'malformed JSON', detail: error instanceof Error ? error.message : 'the body is not JSON' };
  }
}

/** Parses JSON text that has been taken once, keeping number literals exact where a double would change them. Throws SyntaxError. */
export function parseJsonText(text: string): unknown {
  // A reviver costs several times the plain parse, so it runs only where it can matter.
  return NEEDS_EXACT_NUMBERS.test(text) ? JSON.parse(text, keepExactNumber) : JSON.parse(text);
}

function keepExactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || isHeldByDouble(source, value)) return value;
  return rawJson(source);
}

/** Far from where doubles lose digits; beyond, the text decides. */
const LARGEST_EXPONENT = 290;
const MAX_SAFE_DIGITS = 15;

/** Whether the double nearest to a literal, written as shortly as possible, is the same number. */
function isHeldByDouble(literal: string, value: number): boolean {
  if (String(value) === literal) return true;
  const [mantissa = '', exponent = '0'] = literal.split(/[eE]/);
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  if (digits === '') return true;
  return digits.length <= MAX_SAFE_DIGITS && mantissa.length < LONGEST_MANTISSA && isSmall(exponent);
}

/** Zeros before or after the point count for the size of a number, too. */
const LONGEST_MANTISSA = 18;

function isSmall(exponent: string): boolean {
  return exponent.length <= 4 && Math.abs(Number.parseInt(exponent, 10)) < LARGEST_EXPONENT;
}

/** Of the literals that may not fit a double, those that do not: beginnings and ends. */
function inexactLiterals(bytes: Uint8Array, longNumbers: readonly number[]): number[] {
  const inexact: number[] = [];
  for (let index = 0; index < longNumbers.length; index += 2) {
    const [start = 0, end = 0] = [longNumbers[index], longNumbers[index + 1]];
    const literal = asciiOf(bytes, start, end);
    // What is no number is left for the parser to refuse.
    if (NUMBER.test(literal) && !isHeldByDouble(literal, Number.parseFloat(literal))) inexact.push(start, end);
  }
  return inexact;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function asciiOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** Nobody can guess it, so no text of a body begins with it. */
const MARKER = Buffer.from(`"${randomBytes(9).toString('base64url')}:`);
const MARKER_TEXT = MARKER.toString().slice(1);

/** The same text with marked strings in the place of the literals: a parser keeps strings as they are. */
function withMarkers(bytes: Uint8Array, literals: readonly number[]): Uint8Array {
  const marked = Buffer.allocUnsafe(bytes.length + (literals.length / 2) * (MARKER.length + 1));
  let from = 0;
  let to = 0;
  for (let index = 0; index < literals.length; index += 2) {
    const [start = 0, end = 0] = [literals[index], literals[index + 1]];
    marked.set(bytes.subarray(from, start), to);
    to += start - from;
    marked.set(MARKER, to);
    to += MARKER.length;
    marked.set(bytes.subarray(start, end), to);
    to += end - start;
    marked[to++] = 0x22;
    from = end;
  }
  marked.set(bytes.subarray(from), to);
  return marked.subarray(0, to + bytes.length - from);
}

/** Puts the literals back into a parsed value, in place. */
function restoreLiterals(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.startsWith(MARKER_TEXT) ? rawJson(value.slice(MARKER_TEXT.length)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = restoreLiterals(value[index]);
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    if (key.startsWith(MARKER_TEXT)) throw new SyntaxError('a name must be a string');
    object[key] = restoreLiterals(object[key]);
  }
  return object;
}

/** A number literal kept as written. */
export interface RawJson {
  readonly rawJSON: string;
}

// Both are in V8 since version 11.4; the TypeScript library does not know them yet.
const exactJson = JSON as typeof JSON & { rawJSON(text: string): RawJson; isRawJSON(value: unknown): value is RawJson };

export function rawJson(literal: string): RawJson {
  return exactJson.rawJSON(literal);
}

export function isRawJson(value: unknown): value is RawJson {
  return exactJson.isRawJSON(value);
}

/** True for what JSON calls an object: not null, no array, no exact number. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJson(value);
}
