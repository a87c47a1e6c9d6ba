import protobuf from 'protobufjs';

/**
 * The messages of OTLP's logs, as far as they are read or written here (opentelemetry-proto, logs/v1 and common/v1), and
 * `google.rpc.Status` with a `RetryInfo` for answers that ask for patience.
 */
const ROOT = protobuf.Root.fromJSON({
  nested: {
    ExportLogsServiceRequest: { fields: { resourceLogs: { rule: 'repeated', type: 'ResourceLogs', id: 1 } } },
    ResourceLogs: {
      fields: {
        resource: { type: 'Resource', id: 1 },
        scopeLogs: { rule: 'repeated', type: 'ScopeLogs', id: 2 },
      },
    },
    Resource: { fields: { attributes: { rule: 'repeated', type: 'KeyValue', id: 1 } } },
    ScopeLogs: {
      fields: {
        scope: { type: 'InstrumentationScope', id: 1 },
        logRecords: { rule: 'repeated', type: 'LogRecord', id: 2 },
      },
    },
    InstrumentationScope: {
      fields: {
        name: { type: 'string', id: 1 },
        version: { type: 'string', id: 2 },
        attributes: { rule: 'repeated', type: 'KeyValue', id: 3 },
      },
    },
    LogRecord: {
      fields: {
        timeUnixNano: { type: 'fixed64', id: 1 },
        observedTimeUnixNano: { type: 'fixed64', id: 11 },
        severityNumber: { type: 'int32', id: 2 },
        severityText: { type: 'string', id: 3 },
        body: { type: 'AnyValue', id: 5 },
        attributes: { rule: 'repeated', type: 'KeyValue', id: 6 },
        flags: { type: 'fixed32', id: 8 },
        traceId: { type: 'bytes', id: 9 },
        spanId: { type: 'bytes', id: 10 },
        eventName: { type: 'string', id: 12 },
      },
    },
    KeyValue: { fields: { key: { type: 'string', id: 1 }, value: { type: 'AnyValue', id: 2 } } },
    AnyValue: {
      oneofs: {
        value: {
          oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
        },
      },
      fields: {
        stringValue: { type: 'string', id: 1 },
        boolValue: { type: 'bool', id: 2 },
        intValue: { type: 'int64', id: 3 },
        doubleValue: { type: 'double', id: 4 },
        arrayValue: { type: 'ArrayValue', id: 5 },
        kvlistValue: { type: 'KeyValueList', id: 6 },
        bytesValue: { type: 'bytes', id: 7 },
      },
    },
    ArrayValue: { fields: { values: { rule: 'repeated', type: 'AnyValue', id: 1 } } },
    KeyValueList: { fields: { values: { rule: 'repeated', type: 'KeyValue', id: 1 } } },
    ExportLogsServiceResponse: { fields: { partialSuccess: { type: 'ExportLogsPartialSuccess', id: 1 } } },
    ExportLogsPartialSuccess: {
      fields: { rejectedLogRecords: { type: 'int64', id: 1 }, errorMessage: { type: 'string', id: 2 } },
    },
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    RetryInfo: { fields: { retryDelay: { type: 'Duration', id: 1 } } },
    Duration: { fields: { seconds: { type: 'int64', id: 1 } } },
  },
});

const type = (name: string) => ROOT.lookupType(name);
const REQUEST = type('ExportLogsServiceRequest');
const RESPONSE = type('ExportLogsServiceResponse');
const STATUS = type('Status');
const RETRY_INFO = type('RetryInfo');

/** A value as it stands in protobuf and in OTLP's JSON; ints may be texts. */
export interface AnyValue {
  readonly stringValue?: string | null;
  readonly boolValue?: boolean | null;
  readonly intValue?: string | number | { toString(): string } | null;
  readonly doubleValue?: number | string | null;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] | null } | null;
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] | null } | null;
  readonly bytesValue?: Uint8Array | string | null;
}

export interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue | null;
}

export interface LogRecord {
  readonly timeUnixNano?: string | number | { toString(): string } | null;
  readonly observedTimeUnixNano?: string | number | { toString(): string } | null;
  readonly severityNumber?: number | null;
  readonly severityText?: string | null;
  readonly body?: AnyValue | null;
  readonly attributes?: readonly KeyValue[] | null;
  readonly flags?: number | null;
  readonly traceId?: Uint8Array | string | null;
  readonly spanId?: Uint8Array | string | null;
  readonly eventName?: string | null;
}

export interface LogsRequest {
  readonly resourceLogs?:
    | readonly {
        readonly resource?: { readonly attributes?: readonly KeyValue[] | null } | null;
        readonly scopeLogs?:
          | readonly {
              readonly scope?: {
                readonly name?: string | null;
                readonly version?: string | null;
                readonly attributes?: readonly KeyValue[] | null;
              } | null;
              readonly logRecords?: readonly LogRecord[] | null;
            }[]
          | null;
      }[]
    | null;
}

/** @throws Error when the bytes are no such message */
export function decodeRequest(body: Buffer): LogsRequest {
  return REQUEST.decode(body) as unknown as LogsRequest;
}

/** What was taken; nothing is said when all was. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

export function encodeResponse({ rejected, message }: PartialSuccess): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  const partialSuccess = { rejectedLogRecords: rejected, errorMessage: message };
  return Buffer.from(RESPONSE.encode(RESPONSE.fromObject({ partialSuccess })).finish());
}

/** `google.rpc.Status`; with a delay, after which the same may be sent again. */
export function encodeStatus(code: number, message: string, retryAfterSeconds?: number): Buffer {
  const details =
    retryAfterSeconds === undefined
      ? []
      : [
          {
            typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
            value: RETRY_INFO.encode(RETRY_INFO.fromObject({ retryDelay: { seconds: retryAfterSeconds } })).finish(),
          },
        ];
  return Buffer.from(STATUS.encode(STATUS.fromObject({ code, message, details })).finish());
}
