import { z } from '@hono/zod-openapi';
import { invalidParameter, notFound } from '../../platform/errors.ts';
import { strictQueryOf } from '../../platform/http/query.ts';
import { limit, text, timeRange } from '../../platform/http/query-parts.ts';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { UsageStore } from '../usage-store/index.ts';
import { toMeterSpec } from './definition.ts';
import type { MeterQueryAnswer } from './query.ts';
import { aggregationSchema, type Meter, type QueryRequest } from './schema.ts';
import type { MetersService } from './service.ts';

const TAG = 'Meters';

const RANGE = timeRange({ from: 'Inclusive.', to: 'Exclusive.' });
const VALUES_QUERY = strictQueryOf({
  range: RANGE,
  subject: text('subject', 'Only events of this subject.'),
  prefix: text('prefix', 'Only values that begin with this text.'),
  limit: limit('Values'),
});
const valuesSchema = z
  .strictObject({
    data: z.array(z.strictObject({ value: z.string(), events: z.int() })),
    total: z.int().openapi({ description: 'Values that match, also beyond the limit.' }),
  })
  .openapi('DimensionValues');

const TOTALS_QUERY = strictQueryOf({
  range: RANGE,
  subject: text('subject', 'Of this subject. Either this or `customer_id`.'),
  customerId: text('customer_id', 'Of this customer.'),
});
const totalsSchema = z
  .strictObject({
    data: z.array(
      z.strictObject({
        meter_id: ulidSchema,
        meter_key: z.string(),
        meter_name: z.string(),
        aggregation: aggregationSchema,
        value: z.string().optional().openapi({ description: 'Absent when there is no usable event.' }),
      }),
    ),
  })
  .openapi('UsageTotals');

export interface PickerDeps {
  usage: UsageStore;
  service: MetersService;
  /** One request to all meters, asked for together. */
  queryAll(meters: readonly Meter[], request: QueryRequest, signal: AbortSignal): Promise<MeterQueryAnswer[]>;
}

/** Registers what a console offers for choice, and all figures of one customer. Our own additions to the contract. */
export function pickerRoutes(router: Router, deps: PickerDeps): void {
  valuesRoute(router, deps);
  router.endpoint(
    {
      method: 'get',
      path: '/usage-totals',
      operationId: 'get-usage-totals',
      tag: TAG,
      summary: 'Get usage of all meters',
      description: 'The figure of every meter for one subject or customer.',
      access: 'read',
      query: TOTALS_QUERY,
      responses: { 200: jsonResponse('A figure for each meter, by its key.', totalsSchema) },
    },
    async ({ c, answer, query }) => {
      const request = totalsRequest(query);
      const meters = await deps.service.living();
      const answers = await deps.queryAll(meters, request, c.req.raw.signal);
      const data = meters.map((meter, index) => ({ ...describe(meter), ...figureOf(answers[index]) }));
      return answer({ data: data.sort((a, b) => (a.meter_key < b.meter_key ? -1 : 1)) });
    },
  );
}

function valuesRoute(router: Router, { usage, service }: PickerDeps): void {
  router.endpoint(
    {
      method: 'get',
      path: '/meters/{meterId}/dimensions/{dimension}/values',
      operationId: 'list-meter-dimension-values',
      tag: TAG,
      summary: 'List values of a dimension',
      description: 'Values that occur in a range of time, those with the most events first.',
      access: 'read',
      params: z.object({ meterId: ulidSchema, dimension: z.string() }),
      query: VALUES_QUERY,
      responses: { 200: jsonResponse('The values.', valuesSchema) },
    },
    async ({ c, answer, params, query: { range, subject, ...others } }) => {
      const meter = await service.get(params.meterId);
      if (!Object.hasOwn(meter.dimensions ?? {}, params.dimension)) throw notFound('dimension', params.dimension);
      const request = {
        meter: toMeterSpec(meter),
        dimension: params.dimension,
        ...range,
        ...(subject !== undefined && { subjects: [subject] }),
        ...others,
      };
      const { values, total } = await usage.dimensionValues(request, c.req.raw.signal);
      return answer({ data: values.map(({ value, count }) => ({ value, events: count })), total });
    },
  );
}

type Totals = ReturnType<(typeof TOTALS_QUERY)['read']>;

function totalsRequest({ range: { fromMs, toMs }, subject, customerId }: Totals): QueryRequest {
  if ((subject === undefined) === (customerId === undefined)) {
    const reason = 'give either subject or customer_id';
    throw invalidParameter({ field: 'subject', rule: 'required', reason, source: 'query' });
  }
  return {
    ...(fromMs !== undefined && { from: formatInstant(fromMs) }),
    ...(toMs !== undefined && { to: formatInstant(toMs) }),
    time_zone: 'UTC',
    filters: { dimensions: subject === undefined ? { customer_id: { eq: customerId } } : { subject: { eq: subject } } },
  } as QueryRequest;
}

function describe({ id, key, name, aggregation }: Meter) {
  return { meter_id: id, meter_key: key, meter_name: name, aggregation };
}

function figureOf(answer: MeterQueryAnswer | undefined): { value?: string } {
  const value = answer?.rows[0]?.value;
  return value === undefined ? {} : { value };
}
