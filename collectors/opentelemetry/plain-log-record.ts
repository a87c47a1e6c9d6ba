/** A log record as mappings see it. */
export interface PlainLogRecord {
  readonly time_unix_nano: string;
  readonly observed_time_unix_nano: string;
  readonly severity_number?: number;
  readonly severity_text?: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly flags?: number;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly event_name?: string;
}

/** What is 0 or empty was not sent. Nanoseconds are texts, ids in hexadecimal. */
export interface LogRecordFields {
  readonly time: string;
  readonly observed: string;
  readonly severity: number;
  readonly severityText: string;
  readonly flags: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly event: string;
}

/** Field by field: what spreads build takes as long as reading it. The order is the one that kept records have. */
export function plainLogRecord(
  fields: LogRecordFields,
  body: unknown,
  attributes: Readonly<Record<string, unknown>>,
): PlainLogRecord {
  const plain: { -readonly [Name in keyof PlainLogRecord]?: PlainLogRecord[Name] } = {
    time_unix_nano: fields.time,
    observed_time_unix_nano: fields.observed,
  };
  if (fields.severity > 0) plain.severity_number = fields.severity;
  if (fields.severityText !== '') plain.severity_text = fields.severityText;
  plain.body = body;
  plain.attributes = attributes;
  if (fields.flags > 0) plain.flags = fields.flags;
  if (fields.traceId !== '') plain.trace_id = fields.traceId;
  if (fields.spanId !== '') plain.span_id = fields.spanId;
  if (fields.event !== '') plain.event_name = fields.event;
  return plain as PlainLogRecord;
}
