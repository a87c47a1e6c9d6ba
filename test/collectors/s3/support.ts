import { afterEach, beforeEach, expect } from 'vitest';
import { type IngestServer, startIngestServer } from '../support/ingest-server.ts';
import { startCollect, tempFolder } from '../support/running.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

/** A bucket, an endpoint and a folder for each test. */
export let s3: S3Server;
export let server: IngestServer;
export let folder: ReturnType<typeof tempFolder>;

/** To be called by each file: they may share one process. */
export function bucketForEachTest(): void {
  beforeEach(async () => {
    s3 = await startS3Server();
    server = await startIngestServer();
    folder = tempFolder();
  });
  afterEach(async () => {
    await s3.close();
    await server.close();
    folder.remove();
  });
}

/** A collector of the bucket. @param more settings of the input */
export const configOf = (
  mapping = '{"type": "t", "source": "s3", "subject": customer, "time": "2026-11-30T01:00:00Z", "data": {"bytes": bytes}}',
  more = '',
) => `
name: bucket
input:
  aws_s3:
    bucket: usage
    endpoint: "${s3.url}"
    force_path_style_urls: true
    credentials: { id: AKTEST, secret: s3cret }
    poll: 100ms
    ${more}
pipeline: { processors: [{ jsonata: ${JSON.stringify(mapping)} }] }
output: { openmeter: { url: "${server.url}", batching: { count: 1000, period: 10ms } } }
buffer: { sqlite: { path: "${folder.path}/spool.sqlite" } }
http: { address: "127.0.0.1:0" }
`;
/** Runs it until it has read what is there. */
export const once = async (config = configOf()) => {
  const collect = startCollect(config, ['--once']);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect;
};
export const line = (n: number) => `{"customer":"c${n}","bytes":${n}}\n`;

/** The collector's disk is a new one. */
export function forgetEverything(): void {
  folder.remove();
  folder = tempFolder();
}

/** The endpoint is another one, which knows nothing. */
export async function anotherEndpoint(): Promise<void> {
  await server.close();
  server = await startIngestServer();
}
