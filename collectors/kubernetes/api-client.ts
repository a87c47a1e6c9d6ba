import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '../../delivery/clock.ts';
import { at, isObject, type JsonObject, textAt } from './json.ts';
import type { Access } from './kubeconfig.ts';
import { type Line, linesOf } from './lines.ts';
import { createSourceTime, type SourceTime } from './source-time.ts';

/** What the API server answered instead of what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  /** How long it asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, retryAfterMs: number | undefined) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The answer is larger than fits into memory. */
export class TooLarge extends Error {}

export interface ApiClient {
  readonly time: SourceTime;
  /** @throws ApiError, TooLarge, Error of the network */
  get(path: string, signal: AbortSignal): Promise<JsonObject>;
  send(method: 'POST' | 'PUT', path: string, body: unknown, signal: AbortSignal): Promise<JsonObject>;
  /** Lines as they come, until the server ends the stream. A silent one is given up after so long. */
  stream(path: string, silentMs: number, signal: AbortSignal): Promise<AsyncIterable<readonly Line[]>>;
  close(): void;
}

const TIMEOUT_MS = 60_000;
/** A page of 500 ordinary objects has 5 MB. */
const MAX_BODY_BYTES = 48 * 1024 * 1024;
/** etcd takes objects of 1.5 MB. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE_LENGTH = 500;
/** Tokens and certificates are renewed in place; the kubelet does so hours before they expire. */
const REREAD_MS = 60_000;
const MAX_RETRY_AFTER_MS = 60_000;

/** @param readAccess reads the credentials; called again and again. Throws for the operator */
export function createApiClient(readAccess: () => Access, clock: Clock): ApiClient {
  const time = createSourceTime(clock);
  let known: { readonly access: Access; readonly agent: Agent; readonly atMs: number } | undefined;

  function current(): { readonly access: Access; readonly agent: Agent } {
    const now = clock.now();
    if (known !== undefined && now - known.atMs < REREAD_MS) return known;
    const access = readAccess();
    const isSame = known !== undefined && tlsKey(known.access) === tlsKey(access);
    const old = known?.agent;
    const agent = isSame && old !== undefined ? old : agentOf(access);
    known = { access, agent, atMs: now };
    // Requests under way may finish.
    if (old !== undefined && old !== agent) old.close().catch(() => {});
    return known;
  }

  async function ask(
    method: Dispatcher.HttpMethod,
    path: string,
    body: unknown,
    bodyTimeout: number,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { access, agent } = current();
    const base = access.server.pathname.replace(/\/$/, '');
    const answer = await request(new URL(`${base}${path}`, access.server), {
      method,
      dispatcher: agent,
      signal,
      bodyTimeout,
      headersTimeout: TIMEOUT_MS,
      headers: {
        accept: 'application/json',
        'user-agent': 'kong-metering-collector',
        ...(access.token !== undefined && { authorization: `Bearer ${access.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    time.heard(answer.headers['date']);
    if (answer.statusCode < 300) return answer;
    // A token may have been replaced since it was read.
    if (answer.statusCode === 401 && known !== undefined) known = { ...known, atMs: Number.NEGATIVE_INFINITY };
    throw await errorOf(answer);
  }

  async function askJson(method: 'GET' | 'POST' | 'PUT', path: string, body: unknown, signal: AbortSignal) {
    const answer = await ask(method, path, body, TIMEOUT_MS, signal);
    const value: unknown = JSON.parse(await textOf(answer.body, MAX_BODY_BYTES));
    if (!isObject(value)) throw new Error('the API server answered something that is no object');
    return value;
  }

  return {
    time,
    get: (path, signal) => askJson('GET', path, undefined, signal),
    send: askJson,
    async stream(path, silentMs, signal) {
      const { body } = await ask('GET', path, undefined, silentMs, signal);
      return linesOf(body, MAX_LINE_BYTES);
    },
    close() {
      known?.agent.destroy().catch(() => {});
      known = undefined;
    },
  };
}

function tlsKey({ token: _token, server, ...rest }: Access): string {
  return JSON.stringify([server.href, rest]);
}

function agentOf({ ca, cert, key, serverName, isVerified }: Access): Agent {
  return new Agent({
    connect: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(serverName !== undefined && { servername: serverName }),
      rejectUnauthorized: isVerified,
    },
  });
}

async function textOf(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new TooLarge(`the API server's answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function errorOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ApiError> {
  const text = await textOf(body, MAX_ERROR_BYTES).catch(() => '');
  const seconds = /^\d{1,4}$/.exec(String(headers['retry-after'] ?? ''))?.[0];
  const retryAfterMs = seconds === undefined ? undefined : Number.parseInt(seconds, 10) * 1000;
  return new ApiError(
    statusCode,
    (messageOf(text) ?? `the API server answered ${statusCode}`).slice(0, MAX_MESSAGE_LENGTH),
    retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, MAX_RETRY_AFTER_MS),
  );
}

function messageOf(text: string): string | undefined {
  try {
    return textAt({ answer: JSON.parse(text) as unknown }, 'answer', 'message');
  } catch {
    return undefined;
  }
}

/** The Status that stands in a stream in place of an object. */
export function errorInStream(status: unknown): ApiError {
  const code = at(status, 'code');
  const message = textAt(status, 'message') ?? 'the watch ended with an error';
  return new ApiError(typeof code === 'number' ? code : 500, message.slice(0, MAX_MESSAGE_LENGTH), undefined);
}
