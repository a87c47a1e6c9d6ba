import { isTimeZone } from '../../platform/calendar-windows.ts';
import { formatInstant, parseInstant } from '../../platform/instant.ts';
import type { DimensionFilter, UsageQuery, UsageRow, UsageStore } from '../usage-store/index.ts';
import { type AnswerBody, type AnswerText, startAnswer } from './answer-stream.ts';
import { appliedFilter } from './applied-filters.ts';
import { toMeterSpec } from './definition.ts';
import { customerNotFound, meterProblem } from './errors.ts';
import type { Meter, QueryRequest, QueryResult } from './schema.ts';

/** A customer as a usage query sees it. */
export interface QueryCustomer {
  id: string;
  key: string;
  name: string;
  /** Subjects whose events are the customer's. */
  subjects: readonly string[];
}

/** Finds customers by id, deleted ones included; unknown ids are absent. */
export type FindCustomers = (ids: readonly string[]) => Promise<ReadonlyMap<string, QueryCustomer>>;

/** What a query's answer begins with, and what a table of it needs. */
export interface AnswerHead {
  range: Pick<QueryResult, 'from' | 'to'>;
  /** All grouped dimensions, in the order of a table's columns: subject, customer_id, then the others by name. */
  groupBy: readonly string[];
  customers: ReadonlyMap<string, QueryCustomer>;
}

export interface MeterQueryAnswer extends AnswerHead {
  /** As the store has them: `toResultRow` makes a row of the answer when it is written. */
  rows: readonly UsageRow[];
}

/** How a query's answer is written. */
export type AnswerFormat = (head: AnswerHead) => AnswerText;

/**
 * Answers `POST /meters/{meterId}/query`.
 * @param signal aborted when the client has gone
 * @throws DomainProblem 400 for a request that does not fit the meter, 404 for an unknown customer; RequestProblem 503
 * while many long answers wait for their clients
 */
export async function queryMeter(
  usage: UsageStore,
  findCustomers: FindCustomers,
  meter: Meter,
  request: QueryRequest,
  format: AnswerFormat,
  signal?: AbortSignal,
): Promise<AnswerBody> {
  const prepared = await prepareQuery(findCustomers, meter, request);
  const writer = startAnswer(format(headOf(prepared, request)));
  await usage.queryInParts(prepared.query, writer.write, signal);
  return writer.end();
}

/** The same request to many meters, asked for together; answers are in the order of the meters. */
export async function queryMeters(
  usage: UsageStore,
  findCustomers: FindCustomers,
  meters: readonly Meter[],
  request: QueryRequest,
  signal?: AbortSignal,
): Promise<MeterQueryAnswer[]> {
  const prepared: PreparedQuery[] = [];
  for (const meter of meters) prepared.push(await prepareQuery(findCustomers, meter, request));
  const answers = await usage.queryAll(
    prepared.map(({ query }) => query),
    signal,
  );
  return prepared.map((one, index) => ({ ...headOf(one, request), rows: answers[index]?.rows ?? [] }));
}

interface PreparedQuery {
  query: UsageQuery;
  groupBy: ReadonlySet<string>;
  customers: ReadonlyMap<string, QueryCustomer>;
}

/** What the store is asked for a request. @throws as `queryMeter` */
export async function prepareQuery(
  findCustomers: FindCustomers,
  meter: Meter,
  request: QueryRequest,
): Promise<PreparedQuery> {
  const groupBy = new Set(request.group_by_dimensions ?? []);
  checkGroupBy(meter, groupBy);
  const { subject, customer_id, ...dimensionFilters } = request.filters?.dimensions ?? {};
  checkFilters(meter, dimensionFilters);
  const subjectFilter = exactValues(subject, 'subject');
  const customerFilter = exactValues(customer_id, 'customer_id');
  // A filter by subject or customer groups by it, too.
  if (subjectFilter !== undefined) groupBy.add('subject');
  if (customerFilter !== undefined) groupBy.add('customer_id');
  if (groupBy.has('customer_id') && customerFilter === undefined) {
    throw meterProblem('invalid_group_by', 'customer filter is required with customer_id group by');
  }
  const customers = customerFilter === undefined ? new Map() : await knownCustomers(findCustomers, customerFilter);
  const query: UsageQuery = {
    meter: toMeterSpec(meter),
    ...timeRange(request),
    granularity: request.granularity,
    timeZone: checkedTimeZone(request.time_zone),
    groupBy: [...groupBy].filter((name) => name !== 'subject' && name !== 'customer_id').sort(),
    groupBySubject: groupBy.has('subject'),
    filters: appliedFilters(meter, dimensionFilters as Record<string, DimensionFilter>),
    ...subjectSelection(subjectFilter, customerFilter === undefined ? undefined : customers),
  };
  return { query, groupBy, customers };
}

function headOf({ groupBy, customers }: PreparedQuery, request: QueryRequest): AnswerHead {
  return {
    range: {
      ...(request.from !== undefined && { from: request.from }),
      ...(request.to !== undefined && { to: request.to }),
    },
    groupBy: [...groupBy].sort(byColumnOrder),
    customers,
  };
}

function checkGroupBy(meter: Meter, groupBy: ReadonlySet<string>): void {
  for (const name of groupBy) {
    if (name === 'subject' || name === 'customer_id' || Object.hasOwn(meter.dimensions ?? {}, name)) continue;
    throw meterProblem('invalid_group_by', name);
  }
}

function checkFilters(meter: Meter, filters: object): void {
  for (const name of Object.keys(filters)) {
    if (!Object.hasOwn(meter.dimensions ?? {}, name)) {
      throw meterProblem('invalid_dimension_filter', name, `filters.dimensions.${name}`);
    }
  }
}

function appliedFilters(meter: Meter, filters: Record<string, DimensionFilter>): Record<string, DimensionFilter> {
  const applied = Object.entries(filters).map(([name, filter]): [string, DimensionFilter] => [
    name,
    appliedFilter(meter, meter.dimensions?.[name], filter),
  ]);
  return Object.fromEntries(applied);
}

/** Subject and customer are filtered by exact values only: one of `eq` and `in`. */
function exactValues(filter: DimensionFilter | undefined, name: string): readonly string[] | undefined {
  if (filter === undefined) return undefined;
  const operators = Object.entries(filter).filter(([, value]) => value !== undefined);
  if (operators.length === 0) return undefined;
  if (operators.length === 1 && filter.eq !== undefined) return [filter.eq];
  if (operators.length === 1 && filter.in !== undefined) return [...new Set(filter.in)];
  throw meterProblem('unsupported_filter_operator', undefined, `filters.dimensions.${name}`);
}

async function knownCustomers(find: FindCustomers, ids: readonly string[]) {
  const customers = await find(ids);
  const unknown = ids.find((id) => !customers.has(id));
  if (unknown !== undefined) throw customerNotFound(unknown);
  return customers;
}

function subjectSelection(
  subjectFilter: readonly string[] | undefined,
  customers: ReadonlyMap<string, QueryCustomer> | undefined,
): Pick<UsageQuery, 'subjects' | 'subjectGroups'> {
  if (customers === undefined) return { subjects: subjectFilter };
  const subjectGroups = new Map<string, string>();
  for (const customer of customers.values()) {
    for (const subject of customer.subjects) subjectGroups.set(subject, customer.id);
  }
  const subjects = [...subjectGroups.keys()].filter((subject) => subjectFilter?.includes(subject) ?? true);
  return { subjects, subjectGroups };
}

function timeRange(request: QueryRequest): { fromMs: number | undefined; toMs: number | undefined } {
  const fromMs = request.from === undefined ? undefined : parseInstant(request.from);
  const toMs = request.to === undefined ? undefined : parseInstant(request.to);
  if (fromMs !== undefined && toMs !== undefined) {
    if (fromMs === toMs) throw meterProblem('invalid_time_range', 'from and to cannot be equal');
    if (fromMs > toMs) throw meterProblem('invalid_time_range', 'from must be before to');
  }
  return { fromMs, toMs };
}

function checkedTimeZone(name: string): string {
  if (!isTimeZone(name)) throw meterProblem('invalid_time_zone', name);
  return name;
}

export function toResultRow(row: UsageRow): QueryResult['data'][number] {
  return {
    value: row.value,
    from: formatInstant(row.fromMs),
    to: formatInstant(row.toMs),
    dimensions: dimensionsOf(row),
  };
}

/** A group as the contract names it. */
export function dimensionsOf(
  labels: Pick<UsageRow, 'subject' | 'subjectGroup' | 'dimensions'>,
): Record<string, string> {
  return {
    ...(labels.subject !== undefined && { subject: labels.subject }),
    ...(labels.subjectGroup !== undefined && { customer_id: labels.subjectGroup }),
    ...labels.dimensions,
  };
}

function byColumnOrder(a: string, b: string): number {
  const rank = (name: string) => (name === 'subject' ? 0 : name === 'customer_id' ? 1 : 2);
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}
