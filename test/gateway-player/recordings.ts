import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'kong');

/** One request as a real gateway (Kong 3.9.1) logged it. */
export interface Recording {
  /** The fixture it stands in, without ending. */
  readonly source: string;
  /** Kong's id of the request; unique among the recordings. */
  readonly requestId: string;
  /** What `kong.log.serialize()` answered, byte for byte. */
  readonly json: string;
}

/** One message of a recorded socket, in the order in which it was sent. */
export interface RecordedMessage {
  readonly direction: 'kong->js' | 'js->kong';
  readonly message: readonly unknown[];
  readonly hex: string;
}

/** What may differ between two requests of the same shape. `null` takes a thing away as Kong leaves it out. */
export interface Variation {
  readonly requestId?: string;
  readonly startedAtMs?: number;
  readonly consumer?: { readonly id: string; readonly username?: string; readonly custom_id?: string } | null;
  readonly service?: { readonly id: string; readonly name: string };
  /** Added to the request. Kong logs names in lower case and repeated headers as a list. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Replaces the query; a repeated argument is a list, one without a value is `true`. */
  readonly querystring?: Readonly<Record<string, string | true | readonly (string | true)[]>>;
  /** Lengthens the logged answer of an AI call until the entry has at least this many bytes. */
  readonly leastBytes?: number;
}

const ENTRY_FILES = [
  'ai-payloads-log-serialize',
  'ai-payloads-streaming-log-serialize',
  'ai-streaming-log-serialize',
  'log-serialize-edge-cases',
];
const SOCKET_FILES = ['msgpack-log-only', 'msgpack-access-and-log'] as const;

/** All recorded requests, each once. */
export function recordings(): readonly Recording[] {
  const byId = new Map<string, Recording>();
  for (const source of ENTRY_FILES) for (const json of linesOf(source)) add(byId, source, json);
  for (const source of SOCKET_FILES) for (const json of loggedEntries(source)) add(byId, source, json);
  return [...byId.values()];
}

/** The recording with this request id. */
export function recording(requestId: string): Recording {
  const found = recordings().find((candidate) => candidate.requestId === requestId);
  if (found === undefined) throw new Error(`no recording has the request id ${requestId}`);
  return found;
}

/**
 * The entry of an AI call that was recorded for what was odd about it: the value of its header `x-case`, or `badbody` for
 * the one that the gateway itself refused.
 */
export function aiCase(name: string): string {
  const found = linesOf('ai-calls-file-log').find((line) => {
    const { request } = JSON.parse(line) as { request: { headers: Record<string, string> } };
    return (request.headers['x-case'] ?? 'badbody') === name;
  });
  if (found === undefined) throw new Error(`no AI call was recorded for the case ${name}`);
  return found;
}

/** What went over one recorded socket. */
export function recordedMessages(source: (typeof SOCKET_FILES)[number]): readonly RecordedMessage[] {
  return linesOf(source).flatMap((line) => {
    const { dir, msgs, hex } = JSON.parse(line) as {
      dir?: RecordedMessage['direction'];
      msgs?: unknown[][];
      hex?: string;
    };
    const message = msgs?.[0];
    return dir === undefined || message === undefined || hex === undefined ? [] : [{ direction: dir, message, hex }];
  });
}

/** A copy of a log entry that tells of another request of the same shape. */
export function vary(entryJson: string, variation: Variation): string {
  const entry = JSON.parse(entryJson) as Entry;
  const { requestId, startedAtMs, consumer, service, headers, querystring, leastBytes } = variation;
  if (requestId !== undefined) {
    entry.request.id = requestId;
    if ('x-kong-request-id' in entry.response.headers) entry.response.headers['x-kong-request-id'] = requestId;
  }
  if (startedAtMs !== undefined) entry.started_at = startedAtMs;
  if (service !== undefined) entry.service = { ...entry.service, ...service };
  if (headers !== undefined) Object.assign(entry.request.headers, headers);
  if (querystring !== undefined) entry.request.querystring = querystring;
  if (consumer !== undefined) setConsumer(entry, consumer);
  if (leastBytes !== undefined) lengthen(entry, leastBytes);
  return JSON.stringify(entry);
}

interface Entry {
  request: { id: string; headers: Record<string, unknown>; querystring: unknown };
  response: { headers: Record<string, unknown> };
  consumer?: unknown;
  authenticated_entity?: unknown;
  service?: object;
  started_at: number;
  ai?: { proxy: { payload: { response: string } } };
}

/** Kong also tells the upstream who the Consumer is, in headers of the request that it then logs. */
function setConsumer(entry: Entry, consumer: NonNullable<Variation['consumer']> | null): void {
  const { headers } = entry.request;
  for (const name of ['x-consumer-id', 'x-consumer-username', 'x-consumer-custom-id']) delete headers[name];
  if (consumer === null) {
    delete headers['x-credential-identifier'];
    delete entry.consumer;
    delete entry.authenticated_entity;
    return;
  }
  const { id, username, custom_id: customId } = consumer;
  headers['x-consumer-id'] = id;
  if (username !== undefined) headers['x-consumer-username'] = username;
  if (customId !== undefined) headers['x-consumer-custom-id'] = customId;
  const { created_at, updated_at } = { created_at: entry.started_at, updated_at: entry.started_at };
  entry.consumer = { created_at, updated_at, ...consumer };
}

function lengthen(entry: Entry, leastBytes: number): void {
  const payload = entry.ai?.proxy.payload;
  if (payload === undefined) throw new Error('only an AI call with a logged payload can be lengthened');
  payload.response += 'x'.repeat(Math.max(0, leastBytes - JSON.stringify(entry).length));
}

function add(byId: Map<string, Recording>, source: string, json: string): void {
  const { request } = JSON.parse(json) as { request: { id: string } };
  byId.set(request.id, { source, requestId: request.id, json });
}

/** The answers to `kong.log.serialize` that went over a recorded socket. */
function loggedEntries(source: (typeof SOCKET_FILES)[number]): string[] {
  return recordedMessages(source).flatMap(({ direction, message: [, , method, args] }) => {
    const data =
      direction === 'kong->js' && method === 'plugin.Step' ? (args as [{ Data?: unknown }])[0].Data : undefined;
    return typeof data === 'string' && data.startsWith('{') ? [data] : [];
  });
}

function linesOf(name: string): string[] {
  return readFileSync(join(FIXTURES, `${name}.jsonl`), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
