import { z } from 'zod';
import { duration, httpUrl, wholeNumber } from '../config/values.ts';
import { parseSchedule } from '../core/schedule.ts';
import type { Source } from '../core/source.ts';
import { type SourceSurroundings, sourceKind } from '../core/source-kind.ts';
import { createApi } from './api.ts';
import { collectResources } from './collect-resources.ts';
import { KINDS, PHASES } from './kinds.ts';

const schedule = z.string({ error: 'must be a schedule' }).transform((text, context) => {
  try {
    return parseSchedule(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const metric = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/, { error: 'must be the name of a metric, in capitals' });
const http = z
  .strictObject({
    timeout: duration(100, 600_000).default(30_000),
    retry_count: wholeNumber(0, 10).default(1),
    retry_wait_time: duration(0, MINUTE_MS).default(100),
    retry_max_wait_time: duration(0, MINUTE_MS).default(1000),
  })
  .transform(({ timeout, retry_count, retry_wait_time, retry_max_wait_time }) => ({
    timeoutMs: timeout,
    retryCount: retry_count,
    retryWaitMs: retry_wait_time,
    retryMaxWaitMs: retry_max_wait_time,
  }));

const schema = z
  .strictObject({
    url: httpUrl,
    app_id: z.string({ error: 'must be a text' }).min(1, { error: 'is empty' }),
    app_secret: z.string({ error: 'must be a text' }).min(1, { error: 'is empty' }),
    grant: z
      .enum(['client_credentials', 'app_token'], { error: 'must be client_credentials or app_token' })
      .default('client_credentials'),
    resource_type: z.enum(['workload', 'pod'], { error: 'must be workload or pod' }).default('workload'),
    metrics: z.array(metric).min(1).max(64).optional(),
    phases: z
      .array(z.enum(PHASES, { error: `must be one of ${PHASES.join(', ')}` }))
      .min(1)
      .default(['Running', 'Degraded']),
    schedule: schedule.prefault('*/30 * * * * *'),
    metrics_offset: duration(0, DAY_MS).default(30_000),
    incomplete_after: duration(0, 7 * DAY_MS).default(15 * MINUTE_MS),
    since: z.iso.datetime({ offset: true, error: 'must be an instant such as 2026-01-31T00:00:00Z' }).optional(),
    page_size: wholeNumber(100, 500).default(500),
    concurrency: wholeNumber(1, 32).default(8),
    http: http.prefault({}),
  })
  .transform(
    (
      { app_id, app_secret, resource_type, metrics, metrics_offset, incomplete_after, since, page_size, ...rest },
      context,
    ) => {
      const kind = KINDS[resource_type];
      for (const [index, name] of (metrics ?? []).entries()) {
        // A name that the server does not know makes it refuse all of the request.
        if (kind.metrics.includes(name) || name.startsWith('NIM_')) continue;
        context.addIssue({ code: 'custom', path: ['metrics', index], message: `is no metric of a ${resource_type}` });
      }
      // What is allocated is asked for in any case: the list tells it of the moment only.
      const wanted = [...(metrics ?? kind.metrics), ...(resource_type === 'workload' ? ['GPU_ALLOCATION'] : [])];
      return {
        ...rest,
        appId: app_id,
        appSecret: app_secret,
        resourceType: resource_type,
        kind,
        metrics: [...new Set(wanted)].toSorted(),
        offsetMs: metrics_offset,
        incompleteAfterMs: incomplete_after,
        sinceMs: since === undefined ? undefined : Date.parse(since),
        pageSize: page_size,
      };
    },
  );

type Settings = z.output<typeof schema>;

/** Workloads or pods of NVIDIA Run:ai: how long each ran, to the second, and what it was given and used meanwhile. */
export const runAi = sourceKind<Settings>({ schema, create });

function create(settings: Settings, { clock }: SourceSurroundings): Source {
  return {
    async run(context) {
      const api = createApi(settings, clock);
      try {
        await collectResources(api, settings, context);
      } finally {
        api.close();
      }
    },
  };
}
