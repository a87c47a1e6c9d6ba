import { z } from '@hono/zod-openapi';
import { defined } from '../../platform/defined.ts';
import { invalidParameter, notFound } from '../../platform/errors.ts';
import { numberedPage, type PageRequest, pageMeta, pageMetaSchema } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { dateTimeSchema, instantSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { formatInstant } from '../../platform/instant.ts';
import { type BillingRun, STAGES } from './types.ts';

const TAG = 'Billing runs';

const runSchema = z
  .strictObject({
    id: ulidSchema,
    as_of: dateTimeSchema,
    full: z.boolean(),
    started_by: z.enum(['schedule', 'api']),
    stage: z.enum([...STAGES, 'finished']),
    done: z.int().openapi({ description: 'Customers and invoices that were looked at.' }),
    stage_done: z.int(),
    stage_total: z.int().openapi({ description: 'What there was to do in the stage when it began.' }),
    failed: z.int(),
    last_error: z
      .strictObject({ stage: z.enum(STAGES), item_id: z.string(), message: z.string(), at: dateTimeSchema })
      .optional(),
    created_at: dateTimeSchema,
    updated_at: dateTimeSchema,
    finished_at: dateTimeSchema.optional(),
  })
  .openapi('BillingRun');

const requestSchema = z
  .strictObject({
    as_of: instantSchema.optional().openapi({ description: 'Bills as if it were then; default and latest: now.' }),
    full: z.boolean().default(true).openapi({ description: 'Works out the charges of all subscribers.' }),
  })
  .openapi('BillingRunRequest');

export interface BillingRuns {
  list(page: PageRequest): Promise<{ runs: BillingRun[]; total: number }>;
  find(id: string): Promise<BillingRun | undefined>;
  nowMs(): number;
  /** Notes the run and begins with it. */
  start(asOfMs: number | undefined, isFull: boolean): Promise<BillingRun>;
}

/** Registers the operations of billing runs. */
export function billingRunRoutes(router: Router, service: BillingRuns): void {
  router.endpoint(
    {
      method: 'get',
      path: '/billing/runs',
      operationId: 'list-billing-runs',
      tag: TAG,
      summary: 'List billing runs',
      description: 'The newest first, with their progress and the last error. Kept for a month.',
      access: 'read',
      query: queryOf({ page: numberedPage() }),
      responses: {
        200: jsonResponse('A page of runs.', z.strictObject({ data: z.array(runSchema), meta: pageMetaSchema })),
      },
    },
    async ({ answer, query }) => {
      const page = query.page;
      const { runs, total } = await service.list(page);
      return answer({ data: runs.map(toBody), meta: pageMeta(page, total) });
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: '/billing/runs/{runId}',
      operationId: 'get-billing-run',
      tag: TAG,
      summary: 'Get a billing run',
      access: 'read',
      params: z.object({ runId: ulidSchema }),
      responses: { 200: jsonResponse('The run and how far it is.', runSchema) },
    },
    async ({ answer, params }) => {
      const run = await service.find(params.runId);
      if (run === undefined) throw notFound('billing run', params.runId);
      return answer(toBody(run));
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/billing/runs',
      operationId: 'start-billing-run',
      tag: TAG,
      summary: 'Start a billing run',
      description: 'Answers at once; the run goes on by itself, after those that are under way.',
      access: 'write',
      body: requestSchema,
      responses: { 202: jsonResponse('The run.', runSchema) },
    },
    async ({ answer, body }) => {
      const asOfMs = body.as_of === undefined ? undefined : Date.parse(body.as_of);
      if (asOfMs !== undefined && asOfMs > service.nowMs()) {
        const reason = 'must not lie in the future: periods would be billed before they end';
        throw invalidParameter({ field: 'as_of', rule: 'invalid', reason, source: 'body' });
      }
      return answer(toBody(await service.start(asOfMs, body.full)), 202);
    },
  );
}

function toBody(run: BillingRun) {
  const { lastError, finishedAtMs } = run;
  return {
    id: run.id,
    as_of: formatInstant(run.asOfMs),
    full: run.isFull,
    started_by: run.startedBy,
    stage: run.stage,
    done: run.done,
    stage_done: run.stageDone,
    stage_total: run.stageTotal,
    failed: run.failed,
    created_at: formatInstant(run.createdAtMs),
    updated_at: formatInstant(run.updatedAtMs),
    ...defined({
      last_error: lastError && {
        stage: lastError.stage,
        item_id: lastError.itemId,
        message: lastError.message,
        at: lastError.at,
      },
      finished_at: finishedAtMs === undefined ? undefined : formatInstant(finishedAtMs),
    }),
  };
}
