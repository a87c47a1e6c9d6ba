import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * As much of S3 as a collector sees: ListObjectsV2 in pages, GET with If-Match and Range, and errors, as a radosgw answered
 * them (the bodies of objects in test/fixtures/collectors/s3-objects.json are its own).
 */
export interface S3Server {
  readonly url: string;
  readonly requests: string[];
  put(key: string, body: Buffer | string): void;
  remove(key: string): void;
  /** GETs of this key are answered with 403, as where the key of its encryption is gone; undefined = with the object. */
  deny(key: string, isDenied: boolean): void;
  /** The message of refusals. */
  refusal: string;
  /** All requests are answered with 503. */
  isDown: boolean;
  /** Keys a page. */
  pageSize: number;
  /** What its clock says; undefined = as this machine's. */
  timeMs: number | undefined;
  /** GETs of this key are never answered, or not behind so many bytes. */
  hang(key: string, behind?: number): void;
  /** Cuts all connections that are open. */
  cut(): void;
  /** What becomes of the XML of a listing before it is sent. */
  changeListing: (xml: string) => string;
  /** Told of each GET of an object before it is answered. */
  onGet: (key: string) => void;
  close(): Promise<void>;
}

interface Stored {
  readonly body: Buffer;
  readonly etag: string;
}

export async function startS3Server(bucket = 'usage'): Promise<S3Server> {
  const objects = new Map<string, Stored>();
  const denied = new Set<string>();
  const hanging = new Map<string, number | undefined>();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const store: S3Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    put(key, body) {
      const bytes = Buffer.from(body);
      objects.set(key, { body: bytes, etag: `"${createHash('md5').update(bytes).digest('hex')}"` });
    },
    remove: (key) => objects.delete(key),
    deny: (key, isDenied) => void (isDenied ? denied.add(key) : denied.delete(key)),
    refusal: '',
    isDown: false,
    pageSize: 1000,
    timeMs: undefined,
    hang: (key, behind) => void hanging.set(key, behind),
    cut: () => server.closeAllConnections(),
    changeListing: (xml) => xml,
    onGet: () => {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(request: IncomingMessage, response: ServerResponse): unknown {
    const { pathname, searchParams } = new URL(request.url ?? '', store.url);
    store.requests.push(`${request.method} ${pathname}${searchParams.size > 0 ? `?${searchParams}` : ''}`);
    const [, name, ...parts] = pathname.split('/').map(decodeURIComponent);
    if (store.timeMs !== undefined) response.setHeader('date', new Date(store.timeMs).toUTCString());
    if (store.isDown) return refuse(response, 503, 'SlowDown');
    if (request.method !== 'GET' || !request.headers.authorization?.startsWith('AWS4-HMAC-SHA256')) {
      return refuse(response, 403, 'AccessDenied');
    }
    if (name !== bucket) return refuse(response, 404, 'NoSuchBucket');
    if (parts.join('/') === '') return list(searchParams, response);
    return get(parts.join('/'), request, response);
  }

  function list(query: URLSearchParams, response: ServerResponse): unknown {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && byBytes(key, after) > 0)
      .toSorted(byBytes);
    const isEncoded = query.get('encoding-type') === 'url';
    const text = (key: string) => (isEncoded ? encodeURIComponent(key).replaceAll('%2F', '/') : xml(key));
    const page = keys.slice(0, store.pageSize);
    const isTruncated = keys.length > page.length;
    const contents = page.map((key) => {
      const { etag, body } = objects.get(key) as Stored;
      const quoted = etag.replaceAll('"', '&quot;');
      return `<Contents><Key>${text(key)}</Key><LastModified>2026-11-30T02:22:00.000Z</LastModified><ETag>${quoted}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const next = isTruncated ? `<NextContinuationToken>${xml(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    response.writeHead(200, { 'content-type': 'application/xml' });
    return response.end(
      store.changeListing(
        `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${isEncoded ? '<EncodingType>url</EncodingType>' : ''}<Name>${bucket}</Name><Prefix>${xml(prefix)}</Prefix><MaxKeys>1000</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
      ),
    );
  }

  function get(key: string, request: IncomingMessage, response: ServerResponse): unknown {
    store.onGet(key);
    const hangs = hanging.has(key) ? { behind: hanging.get(key) } : undefined;
    if (hangs !== undefined && hangs.behind === undefined) return undefined;
    const object = objects.get(key);
    if (object === undefined) return refuse(response, 404, 'NoSuchKey');
    if (denied.has(key)) return refuse(response, 403, 'InvalidAccessKeyId', store.refusal);
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== object.etag) return refuse(response, 412, 'PreconditionFailed');
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const body = first === undefined ? object.body : object.body.subarray(Number(first), Number(last) + 1);
    response.writeHead(first === undefined ? 200 : 206, {
      'content-length': body.length,
      'accept-ranges': 'bytes',
      etag: object.etag,
      'content-type': 'application/octet-stream',
    });
    return hangs?.behind === undefined ? response.end(body) : response.write(body.subarray(0, hangs.behind));
  }

  return store;
}

function refuse(response: ServerResponse, status: number, code: string, message = ''): unknown {
  response.writeHead(status, { 'content-type': 'application/xml' });
  return response.end(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${xml(message)}</Message></Error>`,
  );
}

/** As stores list: by the bytes of UTF-8. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
