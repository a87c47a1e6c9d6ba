import protobuf from 'protobufjs';

/**
 * The messages of OTLP's logs and metrics, as far as they are read or written here (opentelemetry-proto, logs/v1, metrics/v1
 * and common/v1), and `google.rpc.Status` with a `RetryInfo` for answers that ask for patience.
 */
const list = (type: string, id: number) => ({ rule: 'repeated', type, id });
/** What every data point has. */
const POINT = { startTimeUnixNano: { type: 'fixed64', id: 2 }, timeUnixNano: { type: 'fixed64', id: 3 } };
/** What every data point has that stands for several measurements. */
const COUNTED = { count: { type: 'fixed64', id: 4 }, sum: { type: 'double', id: 5 } };
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
    ExportMetricsServiceRequest: { fields: { resourceMetrics: list('ResourceMetrics', 1) } },
    ResourceMetrics: { fields: { resource: { type: 'Resource', id: 1 }, scopeMetrics: list('ScopeMetrics', 2) } },
    ScopeMetrics: { fields: { scope: { type: 'InstrumentationScope', id: 1 }, metrics: list('Metric', 2) } },
    Metric: {
      fields: {
        name: { type: 'string', id: 1 },
        description: { type: 'string', id: 2 },
        unit: { type: 'string', id: 3 },
        gauge: { type: 'Gauge', id: 5 },
        sum: { type: 'Sum', id: 7 },
        histogram: { type: 'Histogram', id: 9 },
        exponentialHistogram: { type: 'ExponentialHistogram', id: 10 },
        summary: { type: 'Summary', id: 11 },
      },
    },
    Gauge: { fields: { dataPoints: list('NumberDataPoint', 1) } },
    Sum: {
      fields: {
        dataPoints: list('NumberDataPoint', 1),
        aggregationTemporality: { type: 'int32', id: 2 },
        isMonotonic: { type: 'bool', id: 3 },
      },
    },
    Histogram: {
      fields: { dataPoints: list('HistogramDataPoint', 1), aggregationTemporality: { type: 'int32', id: 2 } },
    },
    ExponentialHistogram: {
      fields: {
        dataPoints: list('ExponentialHistogramDataPoint', 1),
        aggregationTemporality: { type: 'int32', id: 2 },
      },
    },
    Summary: { fields: { dataPoints: list('SummaryDataPoint', 1) } },
    NumberDataPoint: {
      oneofs: { value: { oneof: ['asDouble', 'asInt'] } },
      fields: {
        ...POINT,
        asDouble: { type: 'double', id: 4 },
        asInt: { type: 'sfixed64', id: 6 },
        attributes: list('KeyValue', 7),
        flags: { type: 'uint32', id: 8 },
      },
    },
    HistogramDataPoint: {
      fields: {
        ...POINT,
        ...COUNTED,
        attributes: list('KeyValue', 9),
        flags: { type: 'uint32', id: 10 },
        min: { type: 'double', id: 11 },
        max: { type: 'double', id: 12 },
      },
    },
    ExponentialHistogramDataPoint: {
      fields: {
        ...POINT,
        ...COUNTED,
        attributes: list('KeyValue', 1),
        flags: { type: 'uint32', id: 10 },
        min: { type: 'double', id: 12 },
        max: { type: 'double', id: 13 },
      },
    },
    SummaryDataPoint: {
      fields: { ...POINT, ...COUNTED, attributes: list('KeyValue', 7), flags: { type: 'uint32', id: 8 } },
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

ROOT.resolveAll();
const type = (name: string) => ROOT.lookupType(name);
/** What clients send. */
export const LOGS_REQUEST = type('ExportLogsServiceRequest');
export const METRICS_REQUEST = type('ExportMetricsServiceRequest');
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
