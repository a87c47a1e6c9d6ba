import protobuf from 'protobufjs';
import { MAX_DECODED_BYTES, type Message, TooLarge, WALKED } from './messages.ts';

/** For {@link Message.head}: a type without the fields that are walked through, which decoding then skips. */
const heads = new WeakMap<protobuf.Type, protobuf.Type>();
const LENGTH_DELIMITED = 2;

/** A request in protobuf, as a message of the type. */
export function protobufMessage(type: protobuf.Type, body: Buffer, start = 0, end = body.length): Message {
  return {
    bytes: end - start,
    range: { start, end },
    head() {
      let bytes = 0;
      const reader = readerOf(body, start, end);
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        const from = reader.pos;
        reader.skipType(tag & 7);
        if (!WALKED.has(type.fieldsById[tag >>> 3]?.name ?? '')) bytes += reader.pos - from;
      }
      if (bytes > MAX_DECODED_BYTES) throw new TooLarge();
      return plain(headOf(type).decode(readerOf(body, start, end)));
    },
    whole() {
      if (end - start > MAX_DECODED_BYTES) throw new TooLarge();
      return plain(type.decode(readerOf(body, start, end)));
    },
    *each(name) {
      const { id, resolvedType } = type.fields[name] ?? {};
      if (id === undefined || !(resolvedType instanceof protobuf.Type)) return;
      const reader = readerOf(body, start, end);
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        if (tag >>> 3 === id && (tag & 7) === LENGTH_DELIMITED) {
          const length = reader.uint32();
          const from = reader.pos;
          reader.skip(length);
          yield protobufMessage(resolvedType, body, from, from + length);
        } else reader.skipType(tag & 7);
      }
    },
  };
}

const plain = (message: protobuf.Message) => message as unknown as Readonly<Record<string, unknown>>;

function readerOf(body: Buffer, start: number, end: number): protobuf.Reader {
  const reader = protobuf.Reader.create(body);
  reader.pos = start;
  reader.len = end;
  return reader;
}

function headOf(type: protobuf.Type): protobuf.Type {
  const known = heads.get(type);
  if (known !== undefined) return known;
  const head = new protobuf.Type(`${type.name}Head`);
  for (const { name, id, type: of, repeated } of type.fieldsArray) {
    if (!WALKED.has(name)) head.add(new protobuf.Field(name, id, of, repeated ? 'repeated' : undefined));
  }
  type.parent?.add(head);
  heads.set(type, head);
  return head;
}
