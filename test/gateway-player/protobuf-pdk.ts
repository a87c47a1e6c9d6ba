import { decodeMessage, encodeMessage, type Message } from './protobuf-messages.ts';

/** What functions of the plugin development kit take and give, of those that the player knows; Kong knows more. */
const FUNCTIONS: Readonly<Record<string, readonly [takes: string, gives: string]>> = {
  'kong.client.authenticate': ['AuthenticateArgs', 'Empty'],
  'kong.client.get_consumer': ['Empty', 'Consumer'],
  'kong.client.get_ip': ['Empty', 'String'],
  'kong.client.load_consumer': ['ConsumerSpec', 'Consumer'],
  'kong.ctx.shared.get': ['String', 'google.protobuf.Value'],
  'kong.ctx.shared.set': ['KV', 'Empty'],
  'kong.ip.is_trusted': ['String', 'Bool'],
  'kong.log.info': ['google.protobuf.ListValue', 'Empty'],
  'kong.log.serialize': ['Empty', 'String'],
  'kong.nginx.req_start_time': ['Empty', 'Number'],
  'kong.request.get_header': ['String', 'String'],
  'kong.request.get_headers': ['Int', 'google.protobuf.Struct'],
  'kong.request.get_method': ['Empty', 'String'],
  'kong.request.get_query_arg': ['String', 'String'],
  'kong.request.get_raw_body': ['Empty', 'RawBodyResult'],
  'kong.request.get_uri_captures': ['Empty', 'UriCapturesResult'],
  'kong.response.exit': ['ExitArgs', 'Empty'],
  'kong.response.get_status': ['Empty', 'Int'],
  'kong.response.set_headers': ['google.protobuf.Struct', 'Empty'],
  'kong.router.get_service': ['Empty', 'Service'],
  'kong.service.request.set_raw_body': ['ByteString', 'Empty'],
  'kong.service.set_target': ['Target', 'Empty'],
  'kong.service.set_upstream': ['String', 'Bool'],
};

/** What Kong reads where nothing was written. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  String: '',
  ByteString: Buffer.alloc(0),
  Int: 0,
  Number: 0,
  Bool: false,
};

/** Kong's word for nil within a value, which no other writer uses. */
const NIL = Buffer.from([0x08, 0x01]);

export function isKnownFunction(name: string): boolean {
  return FUNCTIONS[name] !== undefined;
}

/** The arguments of a call, as Kong hands them to the function. */
export function readArguments(name: string, payload: Uint8Array): readonly unknown[] {
  const [takes] = typesOf(name);
  const message = decodeMessage(takes, payload);
  switch (takes) {
    case 'Empty':
      return [];
    case 'KV':
      return [message['k'] ?? '', fromValue(message['v'])];
    case 'google.protobuf.ListValue':
      return fromList(message);
    case 'google.protobuf.Struct':
      return [fromStruct(message)];
    case 'Target':
      return [message['host'], message['port']];
    case 'ConsumerSpec':
      return [message['id'], message['by_username'] ?? false];
    case 'AuthenticateArgs':
      return [message['consumer'], message['credential']];
    case 'ExitArgs':
      return [message['status'], message['body'], message['headers'] && fromStruct(message['headers'])];
    default:
      return [message['v'] ?? DEFAULTS[takes]];
  }
}

/** The reply to a call, as Kong writes what the function returned. */
export function writeResult(name: string, result: unknown): Uint8Array {
  const [, gives] = typesOf(name);
  switch (gives) {
    case 'Empty':
      return Buffer.alloc(0);
    case 'google.protobuf.Value':
      return result === undefined ? NIL : encodeMessage(gives, toValue(result));
    case 'google.protobuf.Struct':
      return encodeMessage(gives, toStruct(result));
    case 'RawBodyResult':
      return encodeMessage(gives, typeof result === 'string' ? { content: Buffer.from(result) } : (result as Message));
    case 'Bool':
    case 'Int':
    case 'Number':
    case 'String':
      // A default is not written, and so looks like nothing.
      return result === undefined || result === DEFAULTS[gives] ? Buffer.alloc(0) : encodeMessage(gives, { v: result });
    default:
      return result === undefined ? Buffer.alloc(0) : encodeMessage(gives, result as Message);
  }
}

function typesOf(name: string): readonly [string, string] {
  const types = FUNCTIONS[name];
  if (types === undefined) throw new Error(`the player does not know ${name}`);
  return types;
}

function toValue(value: unknown): Message {
  switch (typeof value) {
    case 'boolean':
      return { boolValue: value };
    case 'number':
      return { numberValue: value };
    case 'string':
      return { stringValue: value };
    default:
      return Array.isArray(value) ? { listValue: { values: value.map(toValue) } } : { structValue: toStruct(value) };
  }
}

function toStruct(values: unknown): Message {
  return { fields: Object.fromEntries(Object.entries(values as object).map(([key, value]) => [key, toValue(value)])) };
}

function fromValue(value: unknown): unknown {
  const { structValue, listValue, boolValue, numberValue, stringValue } = (value ?? {}) as Message;
  if (structValue !== undefined) return fromStruct(structValue);
  return listValue === undefined ? (boolValue ?? numberValue ?? stringValue) : fromList(listValue);
}

function fromList(list: unknown): readonly unknown[] {
  return ((list as { values?: readonly unknown[] }).values ?? []).map(fromValue);
}

function fromStruct(struct: unknown): object {
  const { fields = {} } = struct as { fields?: object };
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, fromValue(value)]));
}
