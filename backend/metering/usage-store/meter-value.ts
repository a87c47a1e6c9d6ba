import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { isRawJson } from '../../platform/json.ts';

/** What a meter makes of the value it finds in an event: usable, or a sentence that says why not. */
export type MeterValue = { decimal: Decimal } | { problem: string };

// What Go's and ClickHouse's float parsers take, without their hexadecimal and infinite forms. Blanks around are cut.
const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_A_NUMBER = /^[+-]?nan$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
// Beyond a double's range the reference implementation has no figure either. The digits are bounded so that no event can
// make sums slow.
const MAX_EXPONENT = 308;
const MIN_EXPONENT = -400;
const MAX_NUMERIC_LENGTH = 512;

/**
 * Reads a number for sum, avg, min, max and latest: JSON numbers and numeric strings.
 * The sentences are the contract's, as the events list shows them under `validation_errors`.
 * @param value what stands at the meter's value property; undefined when nothing does
 */
export function readNumericValue(value: unknown, property: string): MeterValue {
  if (value === undefined) return { problem: `invalid event: missing value property: "${property}"` };
  if (value === null) return { problem: 'invalid event: value cannot be null' };
  if (typeof value === 'number') return parseNumericText(String(value));
  if (isRawJson(value)) return parseNumericText(value.rawJSON);
  if (typeof value === 'string') return parseNumericText(value);
  return { problem: `invalid event: unsupported value property type: ${typeName(value)}` };
}

function parseNumericText(given: string): MeterValue {
  const text = given.trim();
  if (NOT_A_NUMBER.test(text)) return { problem: 'invalid event: value cannot be NaN' };
  if (INFINITE.test(text)) return { problem: 'invalid event: value cannot be infinity' };
  if (text.length > MAX_NUMERIC_LENGTH || !NUMERIC.test(text)) return unparsable(given);
  const decimal = new Decimal(text);
  if (decimal.isZero() || decimal.e < MIN_EXPONENT) return { decimal: ZERO };
  if (decimal.e > MAX_EXPONENT) return unparsable(given);
  return { decimal };
}

function unparsable(text: string): MeterValue {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return { problem: `invalid event: value cannot be parsed as float64: ${shown}` };
}

/**
 * The string that unique_count tells apart: strings as they are, numbers as plain decimals, true and false.
 * Null does not count; objects and arrays count as the empty string, as does a missing value.
 */
export function readDistinctValue(value: unknown): string | undefined {
  if (value === null) return undefined;
  return readText(value);
}

/** Characters of a dimension's value that are told apart: longer ones are payloads, and each is stored in many places. */
const MAX_DIMENSION_LENGTH = 1024;

/** The string of a dimension: null is "null"; objects, arrays and what is missing are "". Cut at 1,024 characters. */
export function readDimensionValue(value: unknown): string {
  return value === null ? 'null' : cutDimensionValue(readText(value));
}

/** As figures tell it apart; the event itself keeps all of it. */
export function cutDimensionValue(text: string): string {
  if (text.length <= MAX_DIMENSION_LENGTH) return text;
  // Half a surrogate pair at the end would not come back from the database as it was.
  return text.slice(0, MAX_DIMENSION_LENGTH).toWellFormed();
}

function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(String(value));
  if (isRawJson(value)) return numberText(value.rawJSON);
  return '';
}

/** Small numbers as plain decimals, so that 1e3 and 1000 are the same; monstrous ones as written. */
function numberText(literal: string): string {
  if (/^-?\d+$/.test(literal)) return literal;
  const parsed = parseNumericText(literal);
  return 'decimal' in parsed ? formatDecimal(parsed.decimal) : literal;
}

/** Types as the contract's reference implementation prints them in its sentences. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'boolean' ? 'bool' : 'map[string]interface {}';
}
