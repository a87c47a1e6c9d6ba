import { z } from 'zod';
import { duration, flag, httpUrl, token } from '../config/values.ts';
import { parseSchedule, type Schedule } from '../core/schedule.ts';
import { isPlainSelector, writtenRangesMs } from './promql.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_TEXT = 10_000;
/** Each goes its own way, with a connection of its own. */
const MAX_METRICS = 100;

const name = z
  .string({ error: 'must be a text' })
  .min(1, { error: 'must not be empty' })
  .max(200, { error: 'must have 200 characters at most' });
const label = z
  .string({ error: 'must be a label' })
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: 'must be the name of a label' });
const promql = z
  .string({ error: 'must be a PromQL expression' })
  .min(1, { error: 'must not be empty' })
  .max(MAX_TEXT, { error: `must have ${MAX_TEXT} characters at most` });
const file = z.string({ error: 'must be the path of a file' }).min(1, { error: 'must not be empty' });

const query = z.strictObject({
  name,
  promql,
  range: z.enum(['interval', 'any'], { error: 'must be interval or any' }).default('interval'),
});

const counter = z.strictObject({
  name,
  selector: promql.refine(isPlainSelector, {
    error: 'must be one selector, such as requests_total{env="prod"}, without a range, a function or an offset',
  }),
  by: z.array(label).max(32).default([]),
  target: z.array(label).min(1).max(8).default(['job', 'instance']),
  new_targets: z.enum(['base', 'count'], { error: 'must be base or count' }).default('base'),
});

const schedule = z.string({ error: 'must be a schedule' }).transform((text, context): Schedule => {
  try {
    return parseSchedule(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const header = z.string({ error: 'must be a text' }).regex(/^[\t\x20-\x7e]*$/, {
  error: 'has characters that a header cannot carry',
});
const url = httpUrl
  .refine((text) => new URL(text).username === '' && new URL(text).password === '', {
    error: 'must have no user and password: use basic_auth',
  })
  .transform((text) => new URL(text));

const instant = z
  .union([z.iso.datetime({ offset: true }), z.literal('')], {
    error: 'must be an instant such as 2026-01-31T12:00:00Z',
  })
  .transform((text) => (text === '' ? undefined : Date.parse(text)));

const given = z.strictObject({
  url,
  schedule: schedule.prefault('0 * * * * *'),
  query_offset: duration(0, 7 * DAY_MS).default(0),
  delay: duration(0, DAY_MS).default(30_000),
  headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), header).default({}),
  basic_auth: z.strictObject({ username: header, password: header }).optional(),
  bearer_token: token.optional(),
  bearer_token_file: file.optional(),
  tls: z
    .strictObject({
      ca_file: file.optional(),
      cert_file: file.optional(),
      key_file: file.optional(),
      server_name: z.string().min(1).optional(),
      skip_cert_verify: flag.default(false),
    })
    .default({ skip_cert_verify: false }),
  timeout: duration(100, HOUR_MS).default(30_000),
  queries: z.array(z.strictObject({ query })).max(MAX_METRICS).default([]),
  counters: z.array(z.strictObject({ counter })).max(MAX_METRICS).default([]),
  start: instant.optional(),
  max_age: duration(60_000, 366 * DAY_MS).default(7 * DAY_MS),
  wait_for_samples: duration(0, DAY_MS).default(600_000),
  coverage: z
    .union([z.literal(''), promql.refine(isPlainSelector, { error: 'must be one selector, such as up{job="api"}' })])
    .default('up'),
  on_warnings: z.enum(['hold', 'accept'], { error: 'must be hold or accept' }).default('hold'),
});
type Given = z.output<typeof given>;

/** What stands below `input.prometheus`, checked and with its defaults. Durations in milliseconds. */
export const schema = given.transform((settings, context) => {
  const problem = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  checkAuthorization(settings, problem);
  checkNames(settings, problem);
  for (const [index, one] of settings.queries.entries()) {
    const reason = rangeProblem(one.query, settings.schedule.everyMs);
    if (reason !== undefined) problem(['queries', index, 'query', 'promql'], reason);
  }
  const { tls, queries, counters } = settings;
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
    problem(['tls'], 'must have both cert_file and key_file, or neither');
  }
  return {
    url: settings.url,
    schedule: settings.schedule,
    queryOffsetMs: settings.query_offset,
    delayMs: settings.delay,
    headers: settings.headers,
    basicAuth: settings.basic_auth,
    bearerToken: settings.bearer_token,
    bearerTokenFile: settings.bearer_token_file,
    tls,
    timeoutMs: settings.timeout,
    queries: queries.map((one) => one.query),
    counters: counters.map(({ counter: { new_targets, ...one } }) => ({ ...one, newTargets: new_targets })),
    startMs: settings.start,
    maxAgeMs: settings.max_age,
    waitForSamplesMs: settings.wait_for_samples,
    coverage: settings.coverage,
    onWarnings: settings.on_warnings,
  };
});

export type Settings = z.output<typeof schema>;
export type QuerySettings = Settings['queries'][number];
export type CounterSettings = Settings['counters'][number];

type Problem = (path: (string | number)[], message: string) => void;

function checkAuthorization(settings: Given, problem: Problem): void {
  const ways = [
    Object.keys(settings.headers).some((one) => one.toLowerCase() === 'authorization'),
    settings.basic_auth !== undefined,
    settings.bearer_token !== undefined,
    settings.bearer_token_file !== undefined,
  ].filter(Boolean);
  if (ways.length > 1) {
    problem(
      ['headers'],
      'must have one of the header Authorization, basic_auth, bearer_token and bearer_token_file at most',
    );
  }
}

/** A name is a part of ids, and of the cursor. */
function checkNames({ queries, counters }: Given, problem: Problem): void {
  const places = [
    ...queries.map(({ query }, index) => ({ name: query.name, path: ['queries', index, 'query', 'name'] })),
    ...counters.map(({ counter }, index) => ({ name: counter.name, path: ['counters', index, 'counter', 'name'] })),
  ];
  const seen = new Set<string>();
  for (const place of places) {
    if (seen.has(place.name)) problem(place.path, 'is the name of another query or counter');
    seen.add(place.name);
  }
  if (places.length === 0) problem(['queries'], 'must have one query at least, or counters one counter');
}

/** A range that is longer than the interval counts usage twice, and a shorter one loses some. */
function rangeProblem({ promql: text, range }: Given['queries'][number]['query'], everyMs: number | undefined) {
  if (range === 'any') return undefined;
  const wrong = writtenRangesMs(text).find((ms) => ms !== everyMs);
  if (wrong === undefined) return undefined;
  const seconds = everyMs === undefined ? 'which is not always the same' : `${everyMs / 1000} s`;
  return `has a range that is not the interval of the schedule (${seconds}), so usage would be lost or counted twice: write [$interval], or say range: any`;
}
