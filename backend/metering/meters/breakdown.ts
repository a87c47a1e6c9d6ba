import { z } from '@hono/zod-openapi';
import { numberedPage, pageMeta, pageMetaSchema } from '../../platform/http/paging.ts';
import { strictQueryOf } from '../../platform/http/query.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';
import { type SortRules, sortBy } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Breakdown, FiguresByWindow, UsageSortField, UsageStore } from '../usage-store/index.ts';
import { dimensionsOf, type FindCustomers, prepareQuery, toResultRow } from './query.ts';
import { queryRequestSchema, queryResultSchema } from './schema.ts';
import type { MetersService } from './service.ts';

const TAG = 'Meters';
const meterId = z.object({ meterId: ulidSchema });

/** More groups than this cannot be told apart in a picture, and others have the pages of rows. */
const MAX_TOP = 50;

const breakdownRequestSchema = queryRequestSchema
  .extend({
    top: z.int().min(1).max(MAX_TOP).default(10).openapi({ description: 'How many groups are told apart.' }),
  })
  .openapi('MeterBreakdownRequest');

const figures = {
  total: z.string().optional().openapi({
    description:
      'Over the whole range, as the meter aggregates: a decimal number, exact. Absent when there is no usable value.',
  }),
  values: z
    .array(z.string().nullable())
    .openapi({ description: 'One for each of the windows; null where there is no usable value.' }),
};
const breakdownSchema = z
  .strictObject({
    from: dateTimeSchema.optional(),
    to: dateTimeSchema.optional(),
    total: figures.total,
    group_count: z.int().openapi({ description: 'Groups with a figure, told apart or not.' }),
    windows: z.array(z.strictObject({ from: dateTimeSchema, to: dateTimeSchema })).openapi({
      description: 'Those with a figure, ascending; none without a granularity.',
    }),
    groups: z
      .array(z.strictObject({ dimensions: z.record(z.string(), z.string()), ...figures }))
      .openapi({ description: 'The largest by total, in descending order.' }),
    other: z
      .strictObject({ group_count: z.int(), ...figures })
      .optional()
      .openapi({
        description:
          'All other groups as one: the figure of all their events, which for averages, extremes, latest and distinct ' +
          'values is not the sum of theirs. Absent when there is none.',
      }),
  })
  .openapi('MeterBreakdown');

const ROWS_SORT: SortRules<UsageSortField> = { fields: ['from', 'value'], default: 'from', defaultDirection: 'asc' };
const ROWS_QUERY = strictQueryOf({ page: numberedPage(), sort: sortBy(ROWS_SORT) });
const rowsPageSchema = z
  .strictObject({ data: queryResultSchema.shape.data, meta: pageMetaSchema })
  .openapi('MeterRowPage');

export interface BreakdownDeps {
  usage: UsageStore;
  service: MetersService;
  findCustomers: FindCustomers;
}

/** Registers what a picture and a table of usage show: answers that stay small however many groups there are. Our own. */
export function breakdownRoutes(router: Router, { usage, service, findCustomers }: BreakdownDeps): void {
  router.endpoint(
    {
      method: 'post',
      path: '/meters/{meterId}/query/breakdown',
      operationId: 'query-meter-breakdown',
      tag: TAG,
      summary: 'Query the largest groups of a meter',
      description:
        'Takes what the query of a meter takes. Answers the groups with the largest totals by window, all other groups ' +
        'as one, and the totals of each and of all; up to 2,000 windows.',
      access: 'read',
      params: meterId,
      body: breakdownRequestSchema,
      responses: { 200: jsonResponse('The figures.', breakdownSchema) },
    },
    async ({ c, answer, params, body: { top, ...request } }) => {
      const { query } = await prepareQuery(findCustomers, await service.get(params.meterId), request);
      const breakdown = await usage.breakdown({ ...query, top }, c.req.raw.signal);
      const range = {
        ...(request.from !== undefined && { from: request.from }),
        ...(request.to !== undefined && { to: request.to }),
      };
      return answer({ ...range, ...toAnswer(breakdown) });
    },
  );
  router.endpoint(
    {
      method: 'post',
      path: '/meters/{meterId}/query/rows',
      operationId: 'query-meter-rows',
      tag: TAG,
      summary: 'Query a page of the rows of a meter',
      description:
        'Takes what the query of a meter takes, and answers its rows in pages; without a granularity, and sorted by ' +
        '"value desc", its groups with the largest first.',
      access: 'read',
      params: meterId,
      query: ROWS_QUERY,
      body: queryRequestSchema,
      responses: { 200: jsonResponse('A page of rows.', rowsPageSchema) },
    },
    async ({ c, answer, params, query: { page, sort }, body }) => {
      const { query } = await prepareQuery(findCustomers, await service.get(params.meterId), body);
      const part = { sort, offset: (page.number - 1) * page.size, limit: page.size };
      const { rows, total } = await usage.usagePage({ ...query, ...part }, c.req.raw.signal);
      return answer({ data: rows.map(toResultRow), meta: pageMeta(page, total) });
    },
  );
}

function toAnswer({
  total,
  groupCount,
  windows,
  groups,
  other,
}: Breakdown): Omit<z.output<typeof breakdownSchema>, 'from' | 'to'> {
  return {
    ...(total !== undefined && { total }),
    group_count: groupCount,
    windows: windows.map(({ fromMs, toMs }) => ({ from: formatInstant(fromMs), to: formatInstant(toMs) })),
    groups: groups.map((group) => ({ dimensions: dimensionsOf(group.labels), ...toFigures(group) })),
    ...(other && { other: { group_count: groupCount - groups.length, ...toFigures(other) } }),
  };
}

function toFigures({ total, values }: FiguresByWindow): { total?: string; values: (string | null)[] } {
  return { ...(total !== undefined && { total }), values };
}
