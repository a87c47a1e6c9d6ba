import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../delivery/clock.ts';

/** One object of a listing. */
export interface Listed {
  readonly key: string;
  /** Names the version; empty where the store gives none. */
  readonly etag: string;
  readonly size: number;
  /** When it was written; undefined = the store does not say. */
  readonly modifiedAtMs: number | undefined;
}

export interface ListedPage {
  readonly objects: readonly Listed[];
  readonly isLast: boolean;
}

/** A bucket, read only. What it refuses comes as the SDK's errors. */
export interface Bucket {
  /**
   * Objects below a prefix, a page at a time, in the order of the listing.
   * @throws ListingBroken where the store contradicts itself: what it would not say must not be taken for nothing
   */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<ListedPage>;
  /** The bytes of exactly this version; rejects with status 412 when it is another one by now. */
  read(
    object: Listed,
    signal: AbortSignal,
    range?: { readonly start: number; readonly end: number },
  ): Promise<AsyncIterable<Buffer>>;
  /** The store's own time, so that a step of this machine's clock hides no folder; this machine's where it tells none. */
  nowMs(signal: AbortSignal): Promise<number>;
  close(): void;
}

export interface BucketSettings {
  readonly bucket: string;
  readonly region: string;
  /** undefined = AWS's own. */
  readonly endpoint: string | undefined;
  readonly forcePathStyle: boolean;
  /** undefined = the chain of AWS: environment, files, the machine's role. */
  readonly credentials:
    | { readonly id: string; readonly secret: string; readonly token: string | undefined }
    | undefined;
}

class ListingBroken extends Error {}

const CONNECT_MS = 10_000;
/** A store that says nothing for so long is gone; without it one hung answer would keep its place for ever. */
const SILENT_MS = 60_000;

export function openBucket(settings: BucketSettings, clock: Clock): Bucket {
  const { bucket } = settings;
  const client = openClient(settings);
  const time = followTime(client, clock);
  return {
    async *list(prefix, abortSignal) {
      let token: string | undefined;
      do {
        const request = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ContinuationToken: token,
          // XML cannot carry every character that a key may have.
          EncodingType: 'url',
        });
        const { Contents = [], EncodingType, ...page } = await client.send(request, { abortSignal });
        const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        if (page.IsTruncated === true && (next === undefined || next === '' || next === token)) {
          throw new ListingBroken('the listing says that it goes on, and not where');
        }
        const keyOf = EncodingType === 'url' ? decoded : (key: string) => key;
        const objects = Contents.flatMap(({ Key, ETag = '', Size = 0, LastModified }) =>
          Key === undefined ? [] : [{ key: keyOf(Key), etag: ETag, size: Size, modifiedAtMs: LastModified?.getTime() }],
        );
        yield { objects, isLast: next === undefined };
        token = next;
      } while (token !== undefined);
    },
    async read({ key, etag }, abortSignal, range) {
      const Range = range && `bytes=${range.start}-${range.end - 1}`;
      const request = new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag, Range });
      const { Body } = await client.send(request, { abortSignal });
      return Body as AsyncIterable<Buffer>;
    },
    async nowMs(abortSignal) {
      const known = time();
      if (known !== undefined) return known;
      await client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }), { abortSignal });
      return time() ?? clock.epochMs();
    },
    close: () => client.destroy(),
  };
}

function openClient({ region, endpoint, forcePathStyle, credentials }: BucketSettings): S3Client {
  return new S3Client({
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && {
      credentials: {
        accessKeyId: credentials.id,
        secretAccessKey: credentials.secret,
        ...(credentials.token !== undefined && { sessionToken: credentials.token }),
      },
    }),
    // Compatible stores know no checksums of S3's newer kind.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  });
}

/** What time the store has, by the date of its last answer and the time that has passed since. */
function followTime(client: S3Client, clock: Clock): () => number | undefined {
  let last: { readonly storeMs: number; readonly atMs: number } | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = (result.response ?? {}) as { headers?: Readonly<Record<string, string>> };
      const storeMs = Date.parse(headers?.['date'] ?? '');
      if (!Number.isNaN(storeMs)) last = { storeMs, atMs: clock.now() };
      return result;
    },
    { step: 'deserialize', name: 'followTime' },
  );
  return () => last && last.storeMs + (clock.now() - last.atMs);
}

/** @throws ListingBroken */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw new ListingBroken('the listing has a key that is not encoded as it says');
  }
}

/** The status of an answer that the SDK threw; undefined = it was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
