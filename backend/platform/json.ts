/**
 * JSON at our borders: bytes in, values out, without losing what a double cannot hold. A number literal that a double
 * would change (20 digits, 1e400) stays as written: it is kept as `JSON.rawJSON` and written back digit by digit.
 */

export type JsonProblem = 'invalid UTF-8' | 'malformed JSON' | 'nested too deeply';

/** Bodies nested deeper are refused: nothing that we take is, and recursion over what we store must stay bounded. */
export const MAX_JSON_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

// A number literal with 16 digits (around one point or not), or with an exponent: only such a one can differ from its
// double. Literals follow a bracket, a colon, a comma or a blank; a match inside a string costs time, never correctness.
const NEEDS_EXACT_NUMBERS = /(?:^|[[:,\s])-?(?:\d[\d.]{15}|[\d.]+[eE][+-]?\d)/;

/** Decodes and parses a body. Never throws: the problem comes back as text. */
export function parseJsonBytes(bytes: Uint8Array): { value: unknown } | { problem: JsonProblem; detail: string } {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { problem: 'invalid UTF-8', detail: 'the body is not valid UTF-8' };
  }
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (error) {
    return { problem: 'malformed JSON', detail: error instanceof Error ? error.message : 'the body is not JSON' };
  }
  if (!isWithinDepth(value, MAX_JSON_DEPTH)) {
    return { problem: 'nested too deeply', detail: `the body is nested deeper than ${MAX_JSON_DEPTH} levels` };
  }
  return { value };
}

/** Parses JSON text, keeping number literals exact where a double would change them. Throws SyntaxError. */
export function parseJsonText(text: string): unknown {
  // A reviver costs several times the plain parse and recurses, so it runs only where it can matter, and only on text
  // that the depth limit has let through.
  const value: unknown = JSON.parse(text);
  if (!NEEDS_EXACT_NUMBERS.test(text) || !isWithinDepth(value, MAX_JSON_DEPTH)) return value;
  return JSON.parse(text, keepExactNumber);
}

function keepExactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return rawJson(source);
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

function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  const children = Array.isArray(value) ? value : Object.values(value);
  for (const child of children) {
    if (typeof child === 'object' && child !== null && !isWithinDepth(child, levels - 1)) return false;
  }
  return true;
}
