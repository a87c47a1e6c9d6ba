import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/** One object of a listing. */
export interface Listed {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
}

/** A bucket, read only. What it refuses comes as the SDK's errors. */
export interface Bucket {
  /** Objects below a prefix, a page at a time, in the order of the listing. */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<readonly Listed[]>;
  /** The bytes of exactly this version; rejects with status 412 when it is another one by now. */
  read(
    object: Listed,
    signal: AbortSignal,
    range?: { readonly start: number; readonly end: number },
  ): Promise<AsyncIterable<Buffer>>;
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

export function openBucket({ bucket, region, endpoint, forcePathStyle, credentials }: BucketSettings): Bucket {
  const client = new S3Client({
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
  });
  return {
    async *list(prefix, abortSignal) {
      for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
        const request = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
        const { Contents = [], NextContinuationToken, IsTruncated } = await client.send(request, { abortSignal });
        yield Contents.flatMap(({ Key: key, ETag: etag, Size: size = 0 }) =>
          key === undefined || etag === undefined ? [] : [{ key, etag, size }],
        );
        token = IsTruncated === true ? NextContinuationToken : undefined;
      }
    },
    async read({ key, etag }, abortSignal, range) {
      const Range = range && `bytes=${range.start}-${range.end - 1}`;
      const request = new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag, Range });
      const { Body } = await client.send(request, { abortSignal });
      return Body as AsyncIterable<Buffer>;
    },
    close: () => client.destroy(),
  };
}

/** The status of an answer that the SDK threw; undefined = it was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}
