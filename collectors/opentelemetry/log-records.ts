import { createHash } from 'node:crypto';
import type { SourceRecord } from '../core/source.ts';
import type { AnyValue, KeyValue, LogRecord, LogsRequest } from './otlp-messages.ts';

/** OpenTelemetry's own attribute for the identity of a record. */
const UID_ATTRIBUTE = 'log.record.uid';
/** Deeper values than any logger makes; a recursion over hostile ones must end. */
const MAX_DEPTH = 32;
const SAFE_DIGITS = 15;

/**
 * The log records of one request as messages for a mapping, `{resource, scope, record}` with the names of OTLP in snake case:
 * ids in hexadecimal, nanoseconds and integers of more than fifteen digits as texts, bytes in base64, NaN and infinities as
 * null. The identity of a record is its `log.record.uid`, else its `idAttribute`; else its place in the body of the request,
 * which a client that tries again sends byte for byte.
 * @param body the request's, after decompression
 * @throws TypeError when values nest too deeply
 */
export function logRecordsOf(request: LogsRequest, body: Buffer, idAttribute: string | undefined): SourceRecord[] {
  const records: SourceRecord[] = [];
  let bodyHash: string | undefined;
  for (const { resource, scopeLogs } of request.resourceLogs ?? []) {
    const resourceMessage = { attributes: attributesOf(resource?.attributes) };
    for (const { scope, logRecords } of scopeLogs ?? []) {
      const scopeMessage = {
        name: scope?.name ?? '',
        version: scope?.version ?? '',
        ...((scope?.attributes?.length ?? 0) > 0 && { attributes: attributesOf(scope?.attributes) }),
      };
      for (const logRecord of logRecords ?? []) {
        const record = recordOf(logRecord);
        const uid =
          record.attributes[UID_ATTRIBUTE] ?? (idAttribute === undefined ? undefined : record.attributes[idAttribute]);
        bodyHash ??= isIdentity(uid) ? undefined : createHash('sha256').update(body).digest('hex');
        records.push({
          message: { resource: resourceMessage, scope: scopeMessage, record },
          // Most mappings have a time of their own.
          get at() {
            return instantOf(record.time_unix_nano) ?? instantOf(record.observed_time_unix_nano);
          },
          parts: isIdentity(uid) ? ['uid', String(uid)] : [bodyHash ?? '', String(records.length)],
        });
      }
    }
  }
  return records;
}

function isIdentity(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

function recordOf(record: LogRecord) {
  const { severityNumber, severityText, body, flags, eventName } = record;
  const traceId = hexOf(record.traceId);
  const spanId = hexOf(record.spanId);
  return {
    time_unix_nano: nanosOf(record.timeUnixNano),
    observed_time_unix_nano: nanosOf(record.observedTimeUnixNano),
    ...(severityNumber !== undefined &&
      severityNumber !== null &&
      severityNumber > 0 && { severity_number: severityNumber }),
    ...(isText(severityText) && { severity_text: severityText }),
    body: plainOf(body, 0),
    attributes: attributesOf(record.attributes),
    ...(flags !== undefined && flags !== null && flags > 0 && { flags }),
    ...(traceId !== '' && { trace_id: traceId }),
    ...(spanId !== '' && { span_id: spanId }),
    ...(isText(eventName) && { event_name: eventName }),
  };
}

const isText = (value: string | null | undefined) => value !== undefined && value !== null && value !== '';

function attributesOf(attributes: readonly KeyValue[] | null | undefined, depth = 0): Record<string, unknown> {
  const entries = (attributes ?? []).map(({ key = '', value }) => [key, plainOf(value, depth)] as const);
  return Object.fromEntries(entries);
}

function plainOf(value: AnyValue | null | undefined, depth: number): unknown {
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
function integerOf(text: string): number | string {
  return text.replace('-', '').length <= SAFE_DIGITS ? Number.parseInt(text, 10) : text;
}

/** OTLP's JSON writes what JSON cannot as texts, "NaN"; some clients write null. Long literals come as texts of their digits. */
function doubleOf(value: number | string | null | undefined): number | string | null {
  if (typeof value === 'string') return /^-?\d/.test(value) ? value : null;
  return value === undefined || value === null || !Number.isFinite(value) ? null : value;
}

function base64Of(value: Uint8Array | string | null | undefined): string {
  return typeof value === 'string' ? value : Buffer.from(value ?? []).toString('base64');
}

/** JSON has them in hexadecimal already. */
function hexOf(value: Uint8Array | string | null | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : Buffer.from(value ?? []).toString('hex');
}

function nanosOf(value: LogRecord['timeUnixNano']): string {
  return value === undefined || value === null ? '0' : String(value);
}

/** RFC 3339 with milliseconds; undefined when it is not known, which OTLP writes as 0. */
function instantOf(nanos: string): string | undefined {
  if (!/^\d{1,20}$/.test(nanos) || /^0+$/.test(nanos)) return undefined;
  const ms = Number.parseInt(nanos.slice(0, -6), 10);
  return Number.isFinite(ms) && ms <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}
