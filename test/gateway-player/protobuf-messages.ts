import protobuf from 'protobufjs';

/**
 * The messages of `ProtoBuf:1` as far as the player speaks it, read and written by protobufjs from descriptions: it
 * shares nothing with the plugin server that it tests.
 */
const struct = protobuf.common.get('google/protobuf/struct.proto')?.nested ?? {};

type Fields = Record<string, readonly [id: number, type: string, rule?: 'repeated']>;

const field = ([id, type, rule]: Fields[string]): protobuf.IField => ({ id, type, ...(rule && { rule }) });
const type = (fields: Fields, oneofs?: protobuf.IType['oneofs']): protobuf.IType => ({
  fields: Object.fromEntries(Object.entries(fields).map(([name, description]) => [name, field(description)])),
  ...(oneofs && { oneofs }),
});
const wrapper = (of: string): protobuf.IType => type({ v: [1, of] });

const root = protobuf.Root.fromJSON({
  nested: {
    google: { nested: { protobuf: { nested: struct } } },
    Instance: type({ instance_id: [1, 'int32'] }),
    Named: type({ name: [1, 'string'] }),
    Empty: type({}),
    StartInstance: type({ name: [1, 'string'], config: [2, 'bytes'] }),
    HandleEvent: type({ instance_id: [1, 'int32'], event_name: [2, 'string'] }),
    RpcCall: type({
      sequence: [1, 'int64'],
      cmd_get_plugin_names: [31, 'Empty'],
      cmd_get_plugin_info: [32, 'Named'],
      cmd_start_instance: [33, 'StartInstance'],
      cmd_get_instance_status: [34, 'Instance'],
      cmd_close_instance: [35, 'Instance'],
      cmd_handle_event: [36, 'HandleEvent'],
      // Not of the protocol: what a later one might add.
      cmd_of_the_future: [99, 'Empty'],
    }),
    PluginNames: type({ names: [1, 'string', 'repeated'] }),
    PluginInfo: type({
      name: [1, 'string'],
      updated_at: [2, 'int64'],
      loaded_at: [3, 'int64'],
      phases: [4, 'string', 'repeated'],
      version: [5, 'string'],
      priority: [6, 'int32'],
      schema: [7, 'string'],
    }),
    InstanceStatus: type({
      name: [1, 'string'],
      instance_id: [2, 'int32'],
      config: [3, 'google.protobuf.Value'],
      started_at: [4, 'int64'],
    }),
    RpcReturn: type({
      sequence: [1, 'int64'],
      plugin_names: [31, 'PluginNames'],
      plugin_info: [32, 'PluginInfo'],
      instance_status: [33, 'InstanceStatus'],
    }),
    KV: type({ k: [1, 'string'], v: [2, 'google.protobuf.Value'] }),
    Bool: wrapper('bool'),
    Int: wrapper('int32'),
    Number: wrapper('double'),
    String: wrapper('string'),
    ByteString: wrapper('bytes'),
    ExitArgs: type({ status: [1, 'int32'], body: [2, 'bytes'], headers: [3, 'google.protobuf.Struct'] }),
    RawBodyResult: type({ content: [1, 'bytes'], body_filepath: [2, 'string'], error: [3, 'string'] }),
    Target: type({ host: [1, 'string'], port: [2, 'int32'] }),
    ConsumerSpec: type({ id: [1, 'string'], by_username: [2, 'bool'] }),
    Consumer: type({
      id: [1, 'string'],
      created_at: [2, 'int64'],
      username: [3, 'string'],
      custom_id: [4, 'string'],
      tags: [5, 'string', 'repeated'],
    }),
    AuthenticatedCredential: type({ id: [1, 'string'], consumer_id: [2, 'string'] }),
    AuthenticateArgs: type({ consumer: [1, 'Consumer'], credential: [2, 'AuthenticatedCredential'] }),
    Service: type({ id: [1, 'string'], retries: [5, 'int32'], host: [7, 'string'], port: [8, 'int32'] }),
    UriCapturesResult: {
      fields: {
        unnamed: { id: 1, type: 'bytes', rule: 'repeated' },
        named: { id: 2, keyType: 'string', type: 'bytes' },
      },
    } as protobuf.IType,
  },
});

/** A message of the protocol, with Kong's names. */
export type Message = Readonly<Record<string, unknown>>;

export function encodeMessage(name: string, message: Message): Uint8Array {
  const messageType = root.lookupType(name);
  const problem = messageType.verify(message);
  if (problem !== null) throw new Error(`${name}: ${problem}`);
  return messageType.encode(messageType.fromObject(message)).finish();
}

/** Numbers of 64 bits become numbers, what is absent stays absent. */
export function decodeMessage(name: string, payload: Uint8Array): Message {
  const messageType = root.lookupType(name);
  return messageType.toObject(messageType.decode(payload), { longs: Number, bytes: Buffer }) as Message;
}
