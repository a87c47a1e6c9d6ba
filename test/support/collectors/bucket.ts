import { collectorConfig } from './collector-config.ts';
import type { RunningCollect } from './running.ts';
import { type S3Server, startS3Server } from './s3-server.ts';
import { collectOnce, type Surroundings, surroundingsOfEachTest } from './surroundings.ts';

const MAPPING =
  '{"type": "t", "source": "s3", "subject": customer, "time": "2026-11-30T01:00:00Z", "data": {"bytes": bytes}}';

/** What reads the bucket. @param more settings of the input, below each other */
export const bucketInput = (url: string, more = ''): string => `
aws_s3:
  bucket: usage
  endpoint: "${url}"
  force_path_style_urls: true
  credentials: { id: AKTEST, secret: s3cret }
  poll: 100ms
${more.replaceAll(/^/gm, '  ')}`;

/** A bucket, an endpoint and a folder for each test, and a collector of them. */
export interface BucketOfEachTest extends Surroundings<S3Server> {
  configOf(mapping?: string, more?: string): string;
  /** Runs it until it has read what is there. */
  once(config?: string): Promise<RunningCollect>;
}

/** To be called by each file. */
export function bucketOfEachTest(): BucketOfEachTest {
  const around = surroundingsOfEachTest(startS3Server);
  const configOf = (mapping = MAPPING, more = '') =>
    collectorConfig({
      name: 'bucket',
      input: bucketInput(around.source.url, more),
      mapping,
      url: around.server.url,
      spool: `${around.folder.path}/spool.sqlite`,
    });
  return Object.assign(Object.create(around), { configOf, once: (config = configOf()) => collectOnce(config) });
}

export const line = (n: number) => `{"customer":"c${n}","bytes":${n}}\n`;
