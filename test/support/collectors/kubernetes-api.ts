import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/**
 * As much of an API server of Kubernetes as a collector sees, with the protocol that kube-apiserver 1.20 was recorded with:
 * lists in pages, watches with resume and bookmarks, 410 of three kinds, leases with conflicts, tokens and rights. It has a
 * time of its own, which tests move, and says it in `Date`.
 */
export interface KubernetesApi {
  readonly url: string;
  nowMs: number;
  readonly requests: string[];
  /** Puts an object, as a write at this moment: a new one gets uid and creationTimestamp where it has none. */
  put(plural: string, object: Json): Json;
  get(plural: string, namespace: string, name: string): Json | undefined;
  remove(plural: string, namespace: string, name: string): void;
  /** Forgets all history: watches and pages from before are 410. */
  compact(): void;
  /** Ends all watches in the middle of what they say. */
  cut(): void;
  /** Tells all watches that nothing has been left out. */
  bookmark(): void;
  /** Writes to all watches of it, as it is. */
  write(plural: string, raw: string): void;
  /** Requests are cut off, as where nobody listens. */
  isDown: boolean;
  /** Bearer tokens that are taken; undefined = any or none. */
  tokens: Set<string> | undefined;
  /** Answers in place of the server; undefined = it answers itself. */
  answer: (method: string, url: URL) => { readonly status: number; readonly body: unknown } | undefined;
  /** A watch begins with a bookmark behind what was missed, so that nobody has to wait a minute. */
  hasEarlyBookmarks: boolean;
  /** Resolves when a watch that began after the call has been told all. */
  watched(): Promise<void>;
  close(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: objects of the API are whatever a test writes.
export type Json = any;

interface Watcher {
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
}

export async function startKubernetesApi(startMs: number, tls?: ServerOptions): Promise<KubernetesApi> {
  const collections = new Map<string, Map<string, Json>>();
  let history: { readonly version: number; readonly plural: string; readonly type: string; readonly object: Json }[] =
    [];
  let version = 100;
  let compacted = 100;
  let uids = 0;
  const watchers = new Set<Watcher>();
  const leases = new Map<string, Json>();
  let waiting: (() => void)[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(request, response, Buffer.concat(chunks).toString('utf8')));
  };
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  function happen(plural: string, type: string, object: Json): void {
    const event = { version, plural, type, object };
    history.push(event);
    for (const watcher of watchers) if (isFor(watcher, event)) watcher.response.write(lineOf(type, object));
  }
  const isFor = (watcher: Watcher, event: { plural: string; object: Json }) =>
    watcher.plural === event.plural &&
    (watcher.namespace === undefined || watcher.namespace === event.object.metadata.namespace);
  const lineOf = (type: string, object: Json) => `${JSON.stringify({ type, object })}\n`;
  const bookmarkLine = () =>
    lineOf('BOOKMARK', {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(version), creationTimestamp: null },
    });
  const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ''}/${name}`;
  const of = (plural: string) => {
    const found = collections.get(plural) ?? new Map<string, Json>();
    collections.set(plural, found);
    return found;
  };
  const instant = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

  function handle(request: IncomingMessage, response: ServerResponse, body: string): unknown {
    if (api.isDown) return request.socket.destroy();
    response.sendDate = false;
    response.setHeader('date', new Date(api.nowMs).toUTCString());
    response.setHeader('content-type', 'application/json');
    const url = new URL(request.url ?? '', api.url);
    api.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const mine = api.answer(request.method ?? '', url);
    if (mine !== undefined) return send(response, mine.status, mine.body);
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (api.tokens !== undefined && !api.tokens.has(token)) return refuse(response, 401, 'Unauthorized');
    const lease = /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases(?:\/([^/]+))?$/.exec(url.pathname);
    if (lease !== null) return answerLease(request, response, keyOf(lease[1], lease[2] ?? ''), body);
    const [, namespace, plural = ''] = /^\/api\/v1\/(?:namespaces\/([^/]+)\/)?([a-z]+)$/.exec(url.pathname) ?? [];
    if (request.method !== 'GET' || plural === '') return refuse(response, 404, 'NotFound');
    if (url.searchParams.get('watch') === 'true') return watch(response, plural, namespace, url.searchParams);
    return list(response, plural, namespace, url.searchParams);
  }

  function list(
    response: ServerResponse,
    plural: string,
    namespace: string | undefined,
    query: URLSearchParams,
  ): unknown {
    const limit = Number.parseInt(query.get('limit') ?? '0', 10) || Number.POSITIVE_INFINITY;
    const token = Buffer.from(query.get('continue') ?? '', 'base64').toString();
    if (query.has('continue') && !token.startsWith('[')) return refuse(response, 400, 'BadRequest');
    const [at = version, after = ''] = token === '' ? [] : (JSON.parse(token) as [number, string]);
    if (at < compacted) return refuse(response, 410, 'Expired', 'The provided continue parameter is too old');
    const all = [...of(plural)]
      .filter(([key, { metadata }]) => key > after && (namespace === undefined || metadata.namespace === namespace))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const page = all.slice(0, limit);
    const last = page.at(-1)?.[0];
    const next = all.length > page.length && { continue: Buffer.from(JSON.stringify([at, last])).toString('base64') };
    const items = page.map(([, object]) => object);
    return send(response, 200, { kind: 'List', metadata: { resourceVersion: String(at), ...next }, items });
  }

  function watch(
    response: ServerResponse,
    plural: string,
    namespace: string | undefined,
    query: URLSearchParams,
  ): unknown {
    const from = Number.parseInt(query.get('resourceVersion') ?? '0', 10);
    response.writeHead(200);
    if (from < compacted) {
      const message = `too old resource version: ${from} (${compacted})`;
      return response.end(lineOf('ERROR', { kind: 'Status', metadata: {}, message, reason: 'Expired', code: 410 }));
    }
    const watcher = { plural, namespace, response };
    for (const event of history) {
      if (event.version > from && isFor(watcher, event)) response.write(lineOf(event.type, event.object));
    }
    if (api.hasEarlyBookmarks) response.write(bookmarkLine());
    response.flushHeaders();
    // A short watch is for what was missed: nobody has to wait for its end.
    if (Number.parseInt(query.get('timeoutSeconds') ?? '0', 10) <= 5) return response.end();
    watchers.add(watcher);
    response.on('close', () => watchers.delete(watcher));
    for (const tell of waiting) tell();
    waiting = [];
    return undefined;
  }

  function answerLease(request: IncomingMessage, response: ServerResponse, key: string, text: string): unknown {
    const given: Json = text === '' ? undefined : JSON.parse(text);
    const named = request.method === 'POST' ? key + given.metadata.name : key;
    const found = leases.get(named);
    if (request.method === 'GET')
      return found === undefined ? refuse(response, 404, 'NotFound') : send(response, 200, found);
    if (request.method === 'POST' && found !== undefined) return refuse(response, 409, 'AlreadyExists');
    if (request.method === 'PUT' && found === undefined) return refuse(response, 404, 'NotFound');
    if (request.method === 'PUT' && given.metadata.resourceVersion !== found.metadata.resourceVersion) {
      return refuse(response, 409, 'Conflict');
    }
    const stored = { ...given, metadata: { ...given.metadata, resourceVersion: String(++version) } };
    leases.set(named, stored);
    return send(response, request.method === 'POST' ? 201 : 200, stored);
  }

  const api: KubernetesApi = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nowMs: startMs,
    requests: [],
    isDown: false,
    tokens: undefined,
    answer: () => undefined,
    hasEarlyBookmarks: true,
    put(plural, object) {
      const { namespace, name } = object.metadata;
      const before = of(plural).get(keyOf(namespace, name));
      const time = instant(api.nowMs);
      const stored = {
        ...object,
        metadata: {
          uid: `uid-${String(++uids).padStart(6, '0')}`,
          creationTimestamp: time,
          ...(before === undefined
            ? {}
            : { uid: before.metadata.uid, creationTimestamp: before.metadata.creationTimestamp }),
          ...object.metadata,
          resourceVersion: String(++version),
          managedFields: [
            { manager: 'kubelet', operation: 'Update', time, fieldsType: 'FieldsV1', fieldsV1: { 'f:x': {} } },
          ],
        },
      };
      of(plural).set(keyOf(namespace, name), stored);
      happen(plural, before === undefined ? 'ADDED' : 'MODIFIED', stored);
      return stored;
    },
    get: (plural, namespace, name) => of(plural).get(keyOf(namespace, name)),
    remove(plural, namespace, name) {
      const before = of(plural).get(keyOf(namespace, name));
      if (before === undefined) return;
      of(plural).delete(keyOf(namespace, name));
      const last = { ...before, metadata: { ...before.metadata, resourceVersion: String(++version) } };
      happen(plural, 'DELETED', last);
    },
    compact() {
      history = [];
      compacted = ++version;
    },
    cut() {
      for (const { response } of watchers) response.destroy();
    },
    bookmark() {
      for (const { response } of watchers) response.write(bookmarkLine());
    },
    write(plural, raw) {
      for (const { response, plural: own } of watchers) if (own === plural) response.write(raw);
    },
    watched: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return api;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, reason: string, message = reason): void {
  send(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
}
