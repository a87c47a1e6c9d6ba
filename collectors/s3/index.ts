import { z } from 'zod';
import { duration, flag, httpUrl } from '../config/values.ts';
import type { Source, SourceContext } from '../core/source.ts';
import { sourceKind } from '../core/source-kind.ts';
import type { Bucket } from './bucket.ts';
import { SCANNERS } from './scanners.ts';

const scannerNames = z.enum(SCANNERS, { error: `must be one of ${SCANNERS.join(', ')}` });
/** As a word, or as the documented pipelines have it: `{ lines: {} }`. */
const scanner = z.union([scannerNames, z.record(z.string(), z.unknown())]).transform((given, context) => {
  const name = typeof given === 'string' ? given : Object.keys(given).join();
  const known = scannerNames.safeParse(name);
  if (known.success) return known.data;
  context.addIssue({ code: 'custom', message: `must be one of ${SCANNERS.join(', ')}` });
  return z.NEVER;
});

const DAY_MS = 86_400_000;
const schema = z
  .strictObject({
    bucket: z.string().min(1).max(255),
    region: z.string().min(1).default('us-east-1'),
    prefix: z.string().max(1000).default(''),
    endpoint: z.union([httpUrl, z.literal('')]).default(''),
    force_path_style_urls: flag.default(false),
    delete_objects: z.literal(false, { error: 'must be false: objects are never deleted here' }).default(false),
    credentials: z
      .strictObject({ id: z.string().min(1), secret: z.string().min(1), token: z.string().default('') })
      .optional(),
    scanner: scanner.default('auto'),
    poll: duration(100, DAY_MS).default(60_000),
    lookback: duration(0, 31 * DAY_MS).default(2 * DAY_MS),
    on_overwrite: z.enum(['reread', 'refuse'], { error: 'must be reread or refuse' }).default('reread'),
    stuck_after: duration(0, 31 * DAY_MS).default(3_600_000),
  })
  .transform(
    ({ endpoint, force_path_style_urls, credentials, on_overwrite, stuck_after, lookback, poll, ...rest }) => ({
      ...rest,
      endpoint: endpoint === '' ? undefined : endpoint,
      forcePathStyle: force_path_style_urls,
      credentials: credentials && { ...credentials, token: credentials.token === '' ? undefined : credentials.token },
      onOverwrite: on_overwrite,
      stuckAfterMs: stuck_after,
      lookbackMs: lookback,
      pollMs: poll,
    }),
  );

type Settings = z.output<typeof schema>;

/** Objects of a bucket of S3, or of a store that is compatible: every row of every version once. */
export const awsS3 = sourceKind<Settings>({ schema, create });

function create(settings: Settings): Source {
  async function withBucket(context: SourceContext, work: (parts: Parts) => Promise<void>): Promise<void> {
    // S3's client and the formats take memory and a second of start-up, which the other sources need not spend.
    const { openBucket } = await import('./bucket.ts');
    const { backfillBucket, collectBucket } = await import('./collect-bucket.ts');
    const bucket = openBucket(settings, context.clock);
    try {
      await work({ bucket, backfillBucket, collectBucket });
    } finally {
      bucket.close();
    }
  }
  const own = { ...settings, causeOf: (error: unknown) => causeOf(error, settings.credentials) };
  return {
    run: (context) => withBucket(context, ({ bucket, collectBucket }) => collectBucket(bucket, own, context)),
    backfill: (context, span) =>
      withBucket(context, ({ bucket, backfillBucket }) => backfillBucket(bucket, own, context, span)),
  };
}

interface Parts extends Pick<typeof import('./collect-bucket.ts'), 'backfillBucket' | 'collectBucket'> {
  readonly bucket: Bucket;
}

/** A store may answer whatever it likes, at any length, and with what it was sent. */
const MAX_CAUSE_LENGTH = 300;

function causeOf(error: unknown, credentials: Settings['credentials']): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const secrets = [credentials?.secret, credentials?.token].filter((secret) => secret !== undefined);
  return secrets.reduce((left, secret) => left.replaceAll(secret, '[secret]'), text).slice(0, MAX_CAUSE_LENGTH);
}
