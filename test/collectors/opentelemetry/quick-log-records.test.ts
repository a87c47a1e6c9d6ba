import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { logRecordsOf } from '../../../collectors/opentelemetry/log-records.ts';
import type { Message } from '../../../collectors/opentelemetry/messages.ts';
import { LOGS_REQUEST } from '../../../collectors/opentelemetry/otlp-messages.ts';
import { protobufMessage } from '../../../collectors/opentelemetry/protobuf-message.ts';
import { createQuickReader } from '../../../collectors/opentelemetry/quick-log-records.ts';
import { fc } from '../../support/property.ts';

// What the quick reader makes of bytes, whatever they are, is what the decoder makes of them.

const LOG_RECORD = LOGS_REQUEST.root.lookupType('LogRecord');

/** The same message without its place, so that it is decoded the general way. */
function decoded(message: Message): Message {
  return {
    bytes: message.bytes,
    head: () => message.head(),
    whole: () => message.whole(),
    *each(field) {
      for (const one of message.each(field)) yield decoded(one);
    },
  };
}

/** JSON, which shows the order of fields as well; or that the request is broken. */
function outcome(message: Message, body: Buffer): string {
  try {
    const records = [...logRecordsOf(message, body, 'id')].flatMap(({ item }) => (item === undefined ? [] : [item]));
    return JSON.stringify(records.map(({ message: own, at, parts, problem }) => ({ own, at, parts, problem })));
  } catch {
    return 'broken';
  }
}

function expectTheSame(records: readonly Buffer[]): void {
  const body = requestOf(records);
  const message = protobufMessage(LOGS_REQUEST, body);
  expect(outcome(message, body)).toBe(outcome(decoded(message), body));
}

function requestOf(records: readonly Buffer[]): Buffer {
  const list = (tag: number, parts: readonly Uint8Array[]) => {
    const writer = protobuf.Writer.create();
    for (const part of parts) writer.uint32(tag).bytes(part);
    return writer.finish();
  };
  return Buffer.from(list(10, [list(18, [list(18, records)])]));
}

const recordBytes = (fields: object) => Buffer.from(LOG_RECORD.encode(LOG_RECORD.fromObject(fields)).finish());

const text = fc.oneof(
  fc.constantFrom('', 'GET', 'subject', 'log.record.uid', 'id', '__proto__', 'constructor', 'ab€', 'x'.repeat(70)),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const bytes = fc.uint8Array({ maxLength: 17 });
const { value } = fc.letrec((tie) => {
  const values = fc.array(tie('value'), { maxLength: 3 });
  const pairs = fc.array(fc.record({ key: text, value: tie('value') }, { requiredKeys: [] }), { maxLength: 3 });
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ stringValue: text }),
      fc.record({ boolValue: fc.boolean() }),
      fc.record({
        intValue: fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
      }),
      fc.record({ doubleValue: fc.double() }),
      fc.record({ bytesValue: bytes }),
      fc.constant({}),
      fc.record({ arrayValue: fc.record({ values }) }),
      fc.record({ kvlistValue: fc.record({ values: pairs }) }),
    ),
  };
});
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const record = fc
  .record(
    {
      timeUnixNano: nanos,
      observedTimeUnixNano: nanos,
      severityNumber: fc.integer({ min: -3, max: 24 }),
      severityText: text,
      body: value,
      attributes: fc.array(fc.record({ key: text, value }, { requiredKeys: [] }), { maxLength: 5 }),
      flags: fc.integer({ min: 0, max: 0xffffffff }),
      traceId: bytes,
      spanId: bytes,
      eventName: text,
    },
    { requiredKeys: [] },
  )
  .map(recordBytes);
/** What any number of bugs and enemies make of a record. */
const damaged = fc
  .tuple(record, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2)), { maxLength: 3 }), record)
  .map(([one, damages, other]) => {
    let made = one;
    for (const [place, byte, kind] of damages) {
      const at = place % (made.length + 1);
      // A byte changed, a byte put in, or another record's fields put behind a part of it.
      if (kind === 2) made = Buffer.concat([made.subarray(0, at), other]);
      else made = Buffer.concat([made.subarray(0, at), Buffer.of(byte), made.subarray(kind === 0 ? at + 1 : at)]);
    }
    return made;
  });

const RUNS = process.env['LONG'] === '1' ? 20_000 : 500;

test('records of all shapes are the same as the decoder makes them', () => {
  fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), expectTheSame), { numRuns: RUNS });
});

test('so are damaged ones, or they are refused alike', () => {
  fc.assert(fc.property(fc.array(damaged, { minLength: 1, maxLength: 4 }), expectTheSame), { numRuns: RUNS });
});

test('a text that begins like the one before it, and is none, is refused', () => {
  const attribute = (bytesOfText: Buffer) =>
    Buffer.concat([
      Buffer.of(50, bytesOfText.length + 4, 18, bytesOfText.length + 2, 10, bytesOfText.length),
      bytesOfText,
    ]);
  const whole = Buffer.from('ab€');
  expectTheSame([attribute(whole), attribute(whole.subarray(0, 3))]);
  const body = requestOf([attribute(whole), attribute(whole.subarray(0, 3))]);
  expect(outcome(protobufMessage(LOGS_REQUEST, body), body)).toContain('the record cannot be taken');
});

test('values nest as deeply as before', () => {
  for (const depth of [31, 32, 33, 34]) {
    let nested: object = { stringValue: 'x' };
    for (let count = 0; count < depth; count++) nested = { arrayValue: { values: [nested] } };
    expectTheSame([recordBytes({ body: nested })]);
  }
});

test('what clients write is read the quick way', () => {
  const body = recordBytes({
    timeUnixNano: '1796000000137000000',
    severityText: 'INFO',
    body: { stringValue: 'Größe 1' },
    attributes: [
      { key: 'n', value: { intValue: '-5' } },
      { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, {}] } } },
      { key: 'object', value: { kvlistValue: { values: [{ key: 'a', value: { doubleValue: 0.5 } }] } } },
    ],
    traceId: Buffer.alloc(16, 0xab),
  });
  // A field that is not read, as newer clients have: dropped_attributes_count.
  const withOther = Buffer.concat([body, Buffer.of(56, 3)]);
  expect(createQuickReader(withOther)(0, withOther.length)).toEqual({
    time_unix_nano: '1796000000137000000',
    observed_time_unix_nano: '0',
    severity_text: 'INFO',
    body: 'Größe 1',
    attributes: { n: -5, list: [true, null], object: { a: 0.5 } },
    trace_id: 'ab'.repeat(16),
  });
});
