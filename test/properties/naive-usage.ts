import { Temporal } from 'temporal-polyfill';
import type {
  Breakdown,
  BreakdownQuery,
  NewEvent,
  UsageQuery,
  UsageRow,
} from '../../backend/metering/usage-store/index.ts';

/** What of a query selects events. */
export type NaiveScope = Pick<UsageQuery, 'meter' | 'fromMs' | 'toMs' | 'subjects' | 'filters'>;

/** What makes an event the same event. */
type IdentityOf = (event: NewEvent) => string;

/** The events that a query looks at, each once, without the void ones. */
function* selected(
  events: readonly NewEvent[],
  query: NaiveScope,
  voided: ReadonlySet<string>,
  identityOf: IdentityOf,
) {
  const seen = new Set<string>();
  for (const event of events) {
    const identity = identityOf(event);
    if (seen.has(identity)) continue;
    seen.add(identity);
    if (voided.has(identity)) continue;
    if (event.type !== query.meter.eventType) continue;
    if (event.timeMs < (query.fromMs ?? -Infinity) || event.timeMs >= (query.toMs ?? Infinity)) continue;
    if (event.timeMs < (query.meter.eventsFromMs ?? -Infinity)) continue;
    if (query.subjects !== undefined && !query.subjects.includes(event.subject)) continue;
    const data = literals(event.data ?? '{}');
    const model = asText(data['model']);
    if (passes(model, query.filters['model'])) yield { event, data, model };
  }
}

/** Identities of the events that a figure is made of. */
export function naiveEventsBehind(
  events: readonly NewEvent[],
  scope: NaiveScope,
  voided: ReadonlySet<string>,
  identityOf: IdentityOf,
): Set<string> {
  const behind = [...selected(events, scope, voided, identityOf)].filter(({ data }) => {
    if (scope.meter.aggregation === 'count') return true;
    if (scope.meter.aggregation === 'unique_count') return data['v'] !== 'null';
    return scaled(data['v']) !== undefined;
  });
  return new Set(behind.map(({ event }) => identityOf(event)));
}

/**
 * What a usage query must answer, said as plainly as can be: scan a list, numbers as scaled big integers, windows by
 * walking the calendar. Shares no code with the store.
 * @param voided identities of void events
 */
export function naiveUsage(
  events: readonly NewEvent[],
  query: UsageQuery,
  voided: ReadonlySet<string>,
  identityOf: IdentityOf,
): UsageRow[] {
  const groups = new Map<
    string,
    { row: Omit<UsageRow, 'value'>; events: { data: Record<string, string>; timeMs: number }[] }
  >();
  for (const { event, data, model } of selected(events, query, voided, identityOf)) {
    const window =
      query.granularity === undefined ? undefined : naiveWindow(event.timeMs, query.granularity, query.timeZone);
    const subject = query.groupBySubject ? event.subject : undefined;
    const dimensions: Record<string, string> = query.groupBy.includes('model') ? { model } : {};
    const key = JSON.stringify([window?.fromMs, subject, dimensions['model']]);
    const minute = Math.floor(event.timeMs / 60_000) * 60_000;
    const group = groups.get(key) ?? {
      row: {
        fromMs: window?.fromMs ?? query.fromMs ?? minute,
        toMs: window?.toMs ?? query.toMs ?? minute + 60_000,
        ...(subject !== undefined && { subject }),
        dimensions,
      },
      events: [],
    };
    if (window === undefined) {
      group.row.fromMs = query.fromMs ?? Math.min(group.row.fromMs, minute);
      group.row.toMs = query.toMs ?? Math.max(group.row.toMs, minute + 60_000);
    }
    group.events.push({ data, timeMs: event.timeMs });
    groups.set(key, group);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const value = aggregate(query.meter.aggregation, group.events);
    return value === undefined ? [] : [{ ...group.row, value }];
  });
  const counts = query.meter.aggregation === 'count' || query.meter.aggregation === 'unique_count';
  if (
    rows.length === 0 &&
    counts &&
    query.granularity === undefined &&
    query.groupBy.length === 0 &&
    !query.groupBySubject
  ) {
    const fromMs = query.fromMs ?? 0;
    return [{ fromMs, toMs: query.toMs ?? fromMs + 60_000, value: '0', dimensions: {} }];
  }
  const order = (row: UsageRow) => JSON.stringify([row.subject, undefined, ...Object.values(row.dimensions)]);
  return rows.sort((a, b) => (query.granularity && a.fromMs - b.fromMs) || (order(a) < order(b) ? -1 : 1));
}

/** What a breakdown must answer: the others are one scan of the events that no group of the largest has. */
export function naiveBreakdown(
  events: readonly NewEvent[],
  { top, ...query }: BreakdownQuery,
  voided: ReadonlySet<string>,
  identityOf: IdentityOf,
): Breakdown {
  const whole = { ...query, granularity: undefined };
  const ungrouped = { ...query, groupBy: [], groupBySubject: false };
  const once = [...new Map(events.toReversed().map((event) => [identityOf(event), event])).values()];
  const ranked = naiveUsage(events, whole, voided, identityOf).toSorted((a, b) => {
    const [one, other] = [scaled(a.value) ?? 0n, scaled(b.value) ?? 0n];
    return one < other ? 1 : one > other ? -1 : 0;
  });
  const largest = ranked.slice(0, top);
  const names = new Set(largest.map(({ subject, dimensions }) => JSON.stringify([subject, dimensions['model']])));
  const others = once.filter((event) => {
    const model = query.groupBy.includes('model') ? asText(literals(event.data ?? '{}')['model']) : undefined;
    return !names.has(JSON.stringify([query.groupBySubject ? event.subject : undefined, model]));
  });
  const byWindow = query.granularity === undefined ? [] : naiveUsage(events, query, voided, identityOf);
  const windows = [...new Map(byWindow.map(({ fromMs, toMs }) => [fromMs, { fromMs, toMs }])).values()];
  const valuesOf = (rows: readonly UsageRow[]) =>
    windows.map(({ fromMs }) => rows.find((row) => row.fromMs === fromMs)?.value ?? null);
  const nameOf = ({ subject, dimensions }: Pick<UsageRow, 'subject' | 'dimensions'>) =>
    JSON.stringify([subject, dimensions]);
  return {
    total: naiveUsage(events, { ...ungrouped, granularity: undefined }, voided, identityOf)[0]?.value,
    groupCount: ranked.length,
    windows,
    groups: largest.map((row) => ({
      labels: { ...(row.subject !== undefined && { subject: row.subject }), dimensions: row.dimensions },
      total: row.value,
      values: valuesOf(byWindow.filter((other) => nameOf(other) === nameOf(row))),
    })),
    other:
      ranked.length <= top
        ? undefined
        : {
            total: naiveUsage(others, { ...ungrouped, granularity: undefined }, voided, identityOf)[0]?.value,
            values: valuesOf(naiveUsage(others, ungrouped, voided, identityOf)),
          },
  };
}

/** The members of a flat object, each value as its literal. */
function literals(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/"(\w+)":("[^"]*"|\{\}|\[\]|[^,}]+)/g)].map((match) => [match[1] ?? '', match[2] ?? '']),
  );
}

function asText(literal: string | undefined): string {
  if (literal === undefined || literal === '{}' || literal === '[]') return '';
  return literal.startsWith('"') ? (JSON.parse(literal) as string) : literal;
}

function passes(text: string, filter: UsageQuery['filters'][string] | undefined): boolean {
  if (filter === undefined) return true;
  if (filter.or !== undefined) return filter.or.some((part) => passes(text, part));
  if (filter.contains !== undefined) return text.includes(filter.contains);
  return filter.neq === undefined ? text === filter.eq : text !== filter.neq;
}

const SCALE = 40n;

function scaled(literal: string | undefined): bigint | undefined {
  const text = literal?.replaceAll('"', '');
  if (text === '1e3') return 1000n * 10n ** SCALE;
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction.padEnd(Number(SCALE), '0'));
  return sign === '-' ? -digits : digits;
}

function unscaled(value: bigint): string {
  const text = (value < 0n ? -value : value).toString().padStart(Number(SCALE) + 1, '0');
  const fraction = text.slice(-Number(SCALE)).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${text.slice(0, -Number(SCALE))}${fraction === '' ? '' : `.${fraction}`}`;
}

function aggregate(
  aggregation: string,
  events: { data: Record<string, string>; timeMs: number }[],
): string | undefined {
  if (aggregation === 'count') return String(events.length);
  if (aggregation === 'unique_count') {
    const values = events.filter((event) => event.data['v'] !== 'null').map((event) => canonical(event.data['v']));
    return String(new Set(values).size);
  }
  const numbers = events.flatMap((event) => {
    const number = scaled(event.data['v']);
    return number === undefined ? [] : [{ number, timeMs: event.timeMs }];
  });
  if (numbers.length === 0) return undefined;
  const values = numbers.map((item) => item.number);
  const sum = values.reduce((a, b) => a + b, 0n);
  switch (aggregation) {
    case 'sum':
      return unscaled(sum);
    case 'min':
      return unscaled(values.reduce((a, b) => (b < a ? b : a)));
    case 'max':
      return unscaled(values.reduce((a, b) => (b > a ? b : a)));
    case 'avg':
      return unscaled(roundedAverage(sum, BigInt(values.length)));
    default:
      return unscaled(numbers.reduce((a, b) => (b.timeMs >= a.timeMs ? b : a)).number);
  }
}

/** Rounded half away from zero at 19 fractional digits. */
function roundedAverage(sum: bigint, count: bigint): bigint {
  const unit = 10n ** (SCALE - 19n);
  const divisor = count * unit;
  const magnitude = sum < 0n ? -sum : sum;
  const rounded = (magnitude * 2n + divisor) / (divisor * 2n);
  return (sum < 0n ? -rounded : rounded) * unit;
}

/** Number literals by their value, everything else by its text. */
function canonical(literal: string | undefined): string {
  if (literal === undefined || literal.startsWith('"')) return asText(literal);
  const number = scaled(literal);
  return number === undefined ? asText(literal) : unscaled(number);
}

/** Walking through a month takes a while, and its label says all about it. */
const walked = new Map<string, { fromMs: number; toMs: number }>();

function naiveWindow(atMs: number, granularity: string, timeZone: string): { fromMs: number; toMs: number } {
  if (granularity === 'PT1M')
    return { fromMs: Math.floor(atMs / 60_000) * 60_000, toMs: Math.floor(atMs / 60_000) * 60_000 + 60_000 };
  const local = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
  const length = granularity === 'P1M' ? 7 : granularity === 'P1D' ? 10 : 13;
  // The label of the window, with the offset for hours: an hour that the clocks repeat is two windows.
  const label = (ms: number) =>
    local(ms).toPlainDateTime().toString().slice(0, length) + (length === 13 ? local(ms).offset : '');
  const wanted = label(atMs);
  const key = `${granularity} ${timeZone} ${wanted}`;
  const known = walked.get(key);
  if (known !== undefined) return known;
  const step = 900_000;
  let fromMs = Math.floor(atMs / step) * step;
  while (label(fromMs - 1) === wanted) fromMs -= step;
  let toMs = Math.floor(atMs / step) * step + step;
  while (label(toMs) === wanted) toMs += step;
  walked.set(key, { fromMs, toMs });
  return { fromMs, toMs };
}
