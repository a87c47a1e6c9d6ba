import { z } from '@hono/zod-openapi';
import { mediaType } from '../../platform/http/body.ts';
import { readBody } from '../../platform/http/body-reader.ts';
import { type FilterKind, filterBy } from '../../platform/http/filtering.ts';
import { cursorPage } from '../../platform/http/paging.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { type HttpContext, jsonResponse, type Router } from '../../platform/http/router.ts';
import { sortBy } from '../../platform/http/sorting.ts';
import type { EventFilterField } from '../usage-store/index.ts';
import { attributesInHeaders } from './binary-mode.ts';
import { invalidContentType, unsupportedCustomerOperator } from './errors.ts';
import { readDeliveryHeaders } from './gateway-delivery.ts';
import type { IngestRequest } from './ingest.ts';
import { eventPageSchema, ingestReportSchema, ingestTotalsSchema, meteringEventSchema } from './schema.ts';
import { EVENT_SORT, type EventsService } from './service.ts';

const SINGLE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const JSON_TYPE = 'application/json';
const batchSchema = z.array(meteringEventSchema);
const TAG = 'Metering Events';

const FILTERS: Record<EventFilterField | 'customer_id', FilterKind> = {
  id: 'string',
  source: 'string',
  subject: 'string',
  type: 'string',
  customer_id: 'ulid',
  time: 'datetime',
  ingested_at: 'datetime',
  stored_at: 'datetime',
};

const ingestEndpoint = {
  method: 'post',
  path: '/events',
  tag: TAG,
  access: 'ingest',
  rawBody: {
    [SINGLE]: meteringEventSchema,
    [BATCH]: batchSchema,
    [JSON_TYPE]: z.union([meteringEventSchema, batchSchema]),
  },
} as const;

const LIST_QUERY = queryOf({
  page: cursorPage(),
  sort: sortBy(EVENT_SORT),
  filters: refine(filterBy(FILTERS), (filters) => {
    const isOfCustomer = (filter: (typeof filters)[number]) => filter.field === 'customer_id';
    if (filters.some((filter) => isOfCustomer(filter) && !['eq', 'oeq'].includes(filter.operator))) {
      throw unsupportedCustomerOperator();
    }
    return filters;
  }),
});

/** Registers ingest and list. */
export function eventRoutes(router: Router, service: EventsService): void {
  router.endpoint(
    {
      ...ingestEndpoint,
      operationId: 'ingest-metering-events',
      summary: 'Ingest metering events',
      description:
        'Stores one event or a batch. Answered when the events are on disk. An event with a known source and id is ' +
        'accepted and counts once. One bad event refuses the whole request, unless it carries ' +
        '`Prefer: handling=lenient`: then the good ones are stored and the answer names the others.',
      responses: {
        202: jsonResponse('Stored.', ingestReportSchema),
      },
    },
    ({ c, answer }) => ingest(c, service, { stored: 202, report: (value) => answer(value, 202) }),
  );
  router.endpoint(
    {
      method: 'get',
      path: '/events',
      operationId: 'list-metering-events',
      tag: TAG,
      summary: 'List metering events',
      access: 'read',
      query: LIST_QUERY,
      responses: { 200: jsonResponse('A page of events, newest first.', eventPageSchema) },
    },
    async ({ c, answer, query }) => answer(await service.list(query, c.req.raw.signal)),
  );
  totalsRoute(router, service);
}

/** Our own addition to the contract. */
function totalsRoute(router: Router, service: EventsService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/ingest-totals',
      operationId: 'get-ingest-totals',
      tag: TAG,
      summary: 'Get ingest totals',
      description: 'How many events have arrived since the database was made, and how many of them were duplicates.',
      access: 'read',
      responses: { 200: jsonResponse('The totals.', ingestTotalsSchema) },
    },
    async ({ answer }) => answer(await service.totals()),
  );
}

/** The older path that collectors post to: the same bodies, answered with 204. */
export function legacyEventRoutes(router: Router, service: EventsService): void {
  router.endpoint(
    {
      ...ingestEndpoint,
      operationId: 'ingest-events-v1',
      summary: 'Ingest events (v1)',
      description: 'What collectors written for the v1 API call: as the v3 operation, answered with 204.',
      responses: {
        204: { description: 'Stored.' },
        200: jsonResponse('Stored leniently.', ingestReportSchema),
      },
    },
    ({ c, answer }) => ingest(c, service, { stored: 204, report: (value) => answer(value, 200) }),
  );
}

type IngestReport = z.input<typeof ingestReportSchema>;

async function ingest(
  c: HttpContext,
  service: EventsService,
  { stored, report }: { stored: 202 | 204; report: (value: IngestReport) => Response },
): Promise<Response> {
  const isLenient = prefersLenient(c);
  const how = { ...formOf(c), isLenient };
  const request = { ...how, delivery: readDeliveryHeaders(c), bytes: await readBody(c) };
  if (isLenient) {
    const outcome = await service.ingestLeniently(request);
    c.header('Preference-Applied', 'handling=lenient');
    return report(outcome);
  }
  await service.ingest(request);
  return c.body(null, stored);
}

/** How the body is to be read, by its content type and headers. */
function formOf(c: HttpContext): Pick<IngestRequest, 'form' | 'attributes'> {
  const type = mediaType(c);
  if (type === SINGLE) return { form: 'event' };
  if (type === BATCH) return { form: 'batch' };
  const attributes = attributesInHeaders(c);
  const isJson = type === JSON_TYPE || (attributes !== undefined && (type?.endsWith('+json') ?? !hasContentType(c)));
  if (!isJson) throw invalidContentType([SINGLE, BATCH, JSON_TYPE]);
  return { form: 'either', attributes };
}

/** An event without data has no content type in binary mode. */
function hasContentType(c: HttpContext): boolean {
  return c.req.header('content-type') !== undefined;
}

function prefersLenient(c: HttpContext): boolean {
  const preferences = c.req.header('prefer')?.toLowerCase().split(/[,;]/) ?? [];
  return preferences.some((preference) => /^\s*handling\s*=\s*"?lenient"?\s*$/.test(preference));
}
