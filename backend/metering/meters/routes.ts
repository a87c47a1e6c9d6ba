import { z } from '@hono/zod-openapi';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { numberedPage } from '../../platform/http/paging.ts';
import { queryOf } from '../../platform/http/query.ts';
import { resourceRoutes } from '../../platform/http/resource-routes.ts';
import { type HttpContext, jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import type { AnswerBody } from './answer-stream.ts';
import { METER_TEMPLATES } from './built-in-meters.ts';
import { csvText, jsonText } from './csv.ts';
import type { AnswerFormat } from './query.ts';
import {
  type BackFill,
  backFillSchema,
  builtInMeterListSchema,
  createMeterSchema,
  type Meter,
  type MeterFilterField,
  meterPageSchema,
  meterSchema,
  meterTemplateListSchema,
  type QueryRequest,
  queryRequestSchema,
  queryResultSchema,
  updateMeterSchema,
} from './schema.ts';
import { METER_SORT, type MetersService } from './service.ts';

const TAG = 'Meters';
const FILTERS: Record<MeterFilterField, FilterKind> = { key: 'string', name: 'string' };
const meterId = z.object({ meterId: ulidSchema });

/** What the routes need of the module. */
export interface MeterOperations {
  service: MetersService;
  query(meter: Meter, request: QueryRequest, format: AnswerFormat, signal: AbortSignal): Promise<AnswerBody>;
  backFill(meter: Meter): Promise<BackFill>;
}

/** Registers the operations of meters. */
export function meterRoutes(router: Router, operations: MeterOperations): void {
  const { service, query: queryUsage } = operations;
  resourceRoutes(router, {
    kind: 'meter',
    name: 'meter',
    path: '/meters/{meterId}',
    tag: TAG,
    schema: meterSchema,
    create: {
      description: 'A meter counts all stored events of its type, those from before its creation too.',
      answer: 'The meter.',
      access: 'administer',
      body: createMeterSchema,
      run: service.create,
    },
    list: {
      answer: 'A page of meters.',
      page: meterPageSchema,
      query: queryOf({ page: numberedPage(), sort: sortBy(METER_SORT), filters: filterBy(FILTERS) }),
      run: (query) => service.list(query.filters, query.sort, query.page),
    },
    get: { answer: 'The meter; a deleted one carries deleted_at.', run: service.get },
    change: {
      verb: 'update',
      description: 'Replaces name, labels and dimensions; an omitted description stays.',
      answer: 'The meter.',
      access: 'administer',
      body: updateMeterSchema,
      run: service.update,
    },
    remove: { description: 'Its events stay.', access: 'administer', run: service.remove },
  });
  router.endpoint(
    {
      method: 'post',
      path: '/meters/{meterId}/query',
      operationId: 'query-meter',
      tag: TAG,
      summary: 'Query meter',
      description: 'Usage in half-open windows; windows without events are absent. `Accept: text/csv` answers a table.',
      access: 'read',
      params: meterId,
      body: queryRequestSchema,
      responses: {
        200: {
          description: 'The figures.',
          content: { 'application/json': { schema: queryResultSchema }, 'text/csv': { schema: z.string() } },
        },
      },
    },
    async ({ c, params, body }) => {
      const meter = await service.get(params.meterId);
      const isCsv = prefersCsv(c);
      const answer = await queryUsage(meter, body, isCsv ? csvText : jsonText, c.req.raw.signal);
      return c.body(answer, 200, isCsv ? csvHeaders(meter.key) : { 'Content-Type': 'application/json' });
    },
  );
  backFillRoute(router, operations);
  builtInRoutes(router, service);
}

/** Our own addition to the contract. */
function backFillRoute(router: Router, { service, backFill }: MeterOperations): void {
  router.endpoint(
    {
      method: 'get',
      path: '/meters/{meterId}/back-fill',
      operationId: 'get-meter-back-fill',
      tag: TAG,
      summary: 'Get back-fill of a meter',
      description:
        'How far the events are counted that were stored before the meter, or before its dimensions changed.',
      access: 'read',
      params: meterId,
      responses: { 200: jsonResponse('The progress.', backFillSchema) },
    },
    async ({ answer, params }) => answer(await backFill(await service.get(params.meterId))),
  );
}

/** Our own additions to the contract. */
function builtInRoutes(router: Router, service: MetersService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/meter-templates',
      operationId: 'list-meter-templates',
      tag: TAG,
      summary: 'List meter templates',
      description: 'Definitions to start from: send one to "create meter".',
      access: 'read',
      responses: { 200: jsonResponse('The templates.', meterTemplateListSchema) },
    },
    async ({ answer }) => answer({ data: METER_TEMPLATES }),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/built-in-meters',
      operationId: 'list-built-in-meters',
      tag: TAG,
      summary: 'List built-in meters',
      description: "The meters over the gateway plugin's events, and whether they are enabled.",
      access: 'read',
      responses: { 200: jsonResponse('The built-in meters.', builtInMeterListSchema) },
    },
    async ({ answer }) => answer({ data: await service.listBuiltIn() }),
  );
  const key = z.object({ meterKey: z.string() });
  router.endpoint(
    {
      method: 'post',
      path: '/built-in-meters/{meterKey}/enable',
      operationId: 'enable-built-in-meter',
      changes: { type: 'built-in-meters' },
      tag: TAG,
      summary: 'Enable built-in meter',
      access: 'administer',
      params: key,
      responses: { 200: jsonResponse('The meter.', meterSchema) },
    },
    async ({ answer, params }) => answer(await service.enableBuiltIn(params.meterKey)),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/built-in-meters/{meterKey}/disable',
      operationId: 'disable-built-in-meter',
      changes: { type: 'built-in-meters' },
      tag: TAG,
      summary: 'Disable built-in meter',
      description: 'Deletes the meter; its events stay, and count again when it is enabled again.',
      access: 'administer',
      params: key,
      responses: { 204: { description: 'Disabled.' } },
    },
    async ({ c, params }) => {
      await service.disableBuiltIn(params.meterKey);
      return c.body(null, 204);
    },
  );
}

function prefersCsv(c: HttpContext): boolean {
  const accepted = c.req.header('accept')?.toLowerCase().split(',') ?? [];
  return accepted.some((type) => type.split(';', 1)[0]?.trim() === 'text/csv');
}

function csvHeaders(meterKey: string): Record<string, string> {
  return {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${meterKey}.csv"`,
  };
}
