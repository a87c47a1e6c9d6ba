import type { AnyValue, KeyValue } from './otlp-messages.ts';

/** Deeper values than any logger makes; a recursion over hostile ones must end. */
export const MAX_DEPTH = 32;
const SAFE_DIGITS = 15;

/** As mappings see a resource. */
export function resourceOf(resource: unknown): { readonly attributes: Record<string, unknown> } {
  return { attributes: attributesOf((resource as Scope | null | undefined)?.attributes) };
}

interface Scope {
  readonly name?: string | null;
  readonly version?: string | null;
  readonly attributes?: readonly KeyValue[] | null;
}

/** As mappings see an instrumentation scope. */
export function scopeOf(given: unknown) {
  const scope = given as Scope | null | undefined;
  return {
    name: scope?.name ?? '',
    version: scope?.version ?? '',
    ...((scope?.attributes?.length ?? 0) > 0 && { attributes: attributesOf(scope?.attributes) }),
  };
}

/** As a plain object. @throws TypeError when values nest too deeply */
export function attributesOf(attributes: readonly KeyValue[] | null | undefined, depth = 0): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const { key = '', value } of attributes ?? []) {
    // Each of them is one of the object's own, whatever it is called.
    if (key === '__proto__') Object.defineProperty(plain, key, { value: plainOf(value, depth), ...OWN });
    else plain[key] = plainOf(value, depth);
  }
  return plain;
}

const OWN = { enumerable: true, configurable: true, writable: true } as const;

export function plainOf(value: AnyValue | null | undefined, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new TypeError(`values nest more than ${MAX_DEPTH} deep`);
  if (value === undefined || value === null) return null;
  // A message that was decoded has defaults for all of these on its prototype; its own is the one that was sent.
  if (has(value, 'stringValue')) return value.stringValue;
  if (has(value, 'boolValue')) return value.boolValue;
  if (has(value, 'intValue')) return integerOf(String(value.intValue));
  if (has(value, 'doubleValue')) return doubleOf(value.doubleValue);
  if (has(value, 'arrayValue')) return (value.arrayValue?.values ?? []).map((item) => plainOf(item, depth + 1));
  if (has(value, 'kvlistValue')) return attributesOf(value.kvlistValue?.values, depth + 1);
  if (has(value, 'bytesValue')) return base64Of(value.bytesValue);
  return null;
}

function has(value: AnyValue, name: keyof AnyValue): boolean {
  return Object.hasOwn(value, name) && value[name] !== null && value[name] !== undefined;
}

/** As a number where that keeps all digits. */
export function integerOf(text: string): number | string {
  return text.replace('-', '').length <= SAFE_DIGITS ? Number.parseInt(text, 10) : text;
}

/** OTLP's JSON writes what JSON cannot as texts, "NaN"; some clients write null. Long literals come as texts of their digits. */
export function doubleOf(value: number | string | null | undefined): number | string | null {
  if (typeof value === 'string') return /^-?\d/.test(value) ? value : null;
  return value === undefined || value === null || !Number.isFinite(value) ? null : value;
}

function base64Of(value: Uint8Array | string | null | undefined): string {
  return typeof value === 'string' ? value : Buffer.from(value ?? []).toString('base64');
}

/** JSON has them in hexadecimal already. */
export function hexOf(value: Uint8Array | string | null | undefined): string {
  if (value === undefined || value === null || value.length === 0) return '';
  return typeof value === 'string' ? value.toLowerCase() : Buffer.from(value ?? []).toString('hex');
}

export function nanosOf(value: unknown): string {
  if (value === undefined || value === null) return '0';
  if (typeof value !== 'object') return String(value);
  // What 64-bit integers are decoded to; its own way to a text divides digit by digit, which takes as long as all the rest.
  const { low, high } = value as { readonly low?: unknown; readonly high?: unknown };
  if (typeof low !== 'number' || typeof high !== 'number') return String(value);
  return low === 0 && high === 0 ? '0' : String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

/** RFC 3339 with milliseconds; undefined when it is not known, which OTLP writes as 0. */
export function instantOf(nanos: string): string | undefined {
  if (!/^\d{1,20}$/.test(nanos) || /^0+$/.test(nanos)) return undefined;
  const ms = Number.parseInt(nanos.slice(0, -6), 10);
  return Number.isFinite(ms) && ms <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}
