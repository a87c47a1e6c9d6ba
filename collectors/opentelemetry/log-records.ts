import { createHash } from 'node:crypto';
import type { SourceRecord } from '../core/source.ts';
import { MAX_DECODED_BYTES, type Message, ONLY_HOLDS, type Sized, TooLarge } from './messages.ts';
import type { LogRecord } from './otlp-messages.ts';
import { type PlainLogRecord, plainLogRecord } from './plain-log-record.ts';
import { createQuickReader, type QuickReader } from './quick-log-records.ts';
import { attributesOf, hexOf, instantOf, nanosOf, plainOf, resourceOf, scopeOf } from './values.ts';

/** OpenTelemetry's own attribute for the identity of a record. */
const UID_ATTRIBUTE = 'log.record.uid';

/**
 * The log records of one request as messages for a mapping, `{resource, scope, record}` with the names of OTLP in snake case:
 * ids in hexadecimal, nanoseconds and integers of more than fifteen digits as texts, bytes in base64, NaN and infinities as
 * null. The identity of a record is its `log.record.uid`, else its `idAttribute`; else its place in the body of the request,
 * which a client that tries again sends byte for byte.
 * @param body the request's, after decompression
 * @throws Error when it is broken
 */
export function* logRecordsOf(
  request: Message,
  body: Buffer,
  idAttribute: string | undefined,
): Generator<Sized<SourceRecord>> {
  const quick = createQuickReader(body);
  let index = 0;
  let bodyHash: string | undefined;
  for (const resourceLogs of request.each('resourceLogs')) {
    const resourceMessage = resourceOf(resourceLogs.head()['resource']);
    yield ONLY_HOLDS;
    for (const scopeLogs of resourceLogs.each('scopeLogs')) {
      yield ONLY_HOLDS;
      const scopeMessage = scopeOf(scopeLogs.head()['scope']);
      for (const logRecord of scopeLogs.each('logRecords')) {
        const { bytes } = logRecord;
        const record = readRecord(logRecord, quick);
        const uid = typeof record === 'string' ? undefined : identityOf(record.attributes, idAttribute);
        bodyHash ??= uid === undefined ? createHash('sha256').update(body).digest('hex') : undefined;
        const parts = uid === undefined ? [bodyHash ?? '', String(index)] : ['uid', uid];
        index++;
        if (typeof record === 'string') yield { bytes, item: { message: {}, problem: record, parts } };
        else yield { bytes, item: sourceRecordOf(resourceMessage, scopeMessage, record, parts) };
      }
    }
  }
}

function sourceRecordOf(
  resource: unknown,
  scope: unknown,
  record: PlainLogRecord,
  parts: readonly string[],
): SourceRecord {
  return {
    message: { resource, scope, record },
    // Most mappings have a time of their own.
    get at() {
      return instantOf(record.time_unix_nano) ?? instantOf(record.observed_time_unix_nano);
    },
    parts,
  };
}

/** @returns why it is refused, when it is too large or too deep; what is broken breaks the request */
function readRecord(message: Message, quick: QuickReader): PlainLogRecord | string {
  const { range, bytes } = message;
  const known = range === undefined || bytes > MAX_DECODED_BYTES ? undefined : quick(range.start, range.end);
  if (known !== undefined) return known;
  try {
    return recordOf(message.whole() as LogRecord);
  } catch (error) {
    if (error instanceof TooLarge || error instanceof TypeError) return `the record cannot be taken: ${error.message}`;
    throw error;
  }
}

function identityOf(attributes: Readonly<Record<string, unknown>>, idAttribute: string | undefined) {
  const uid = attributes[UID_ATTRIBUTE] ?? (idAttribute === undefined ? undefined : attributes[idAttribute]);
  const isOne = (typeof uid === 'string' && uid !== '') || typeof uid === 'number';
  return isOne ? String(uid) : undefined;
}

function recordOf(record: LogRecord): PlainLogRecord {
  const fields = {
    time: nanosOf(record.timeUnixNano),
    observed: nanosOf(record.observedTimeUnixNano),
    severity: record.severityNumber ?? 0,
    severityText: record.severityText ?? '',
    flags: record.flags ?? 0,
    traceId: hexOf(record.traceId),
    spanId: hexOf(record.spanId),
    event: record.eventName ?? '',
  };
  return plainLogRecord(fields, plainOf(record.body, 0), attributesOf(record.attributes));
}
