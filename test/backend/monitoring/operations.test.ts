import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../backend/config.ts';
import { type RunningBackend, startBackend } from '../../../backend/main.ts';
import { createLogger } from '../../../backend/platform/log.ts';

const SECRETS = {
  ADMIN_TOKEN: 'secret-of-the-admin-0123',
  VIEWER_TOKEN: 'secret-of-the-viewer-0123',
  INGEST_TOKEN: 'secret-of-the-gateway-0123',
  METRICS_TOKEN: 'secret-of-the-scraper-0123',
  KONG_ADMIN_TOKEN: 'secret-of-kong-0123',
};
const EVENTS = 8_000;

let dataDir: string;
let backend: RunningBackend;
const logLines: string[] = [];
const start = (settings: Record<string, string> = {}) => {
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', ...SECRETS, ...settings });
  return startBackend(config, createLogger('trace', { write: (line: string) => logLines.push(line) } as never));
};
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'operations-'));
  // A port that nothing listens on: reading consumers fails.
  backend = await start({ READER_THREADS: '1', MAX_WAITING_QUERIES: '1', KONG_ADMIN_URL: 'http://127.0.0.1:1' });
});
afterAll(async () => {
  await backend.stop();
  rmSync(dataDir, { recursive: true });
});

interface Sent {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  type?: string;
  headers?: Record<string, string>;
}
function send(path: string, { method = 'GET', token = SECRETS.ADMIN_TOKEN, body, type, headers }: Sent = {}) {
  return fetch(`${backend.url}${path}`, {
    method,
    headers: {
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': type ?? 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}
const scrape = async (): Promise<string> => (await send('/metrics', { token: SECRETS.METRICS_TOKEN })).text();
/** The figure of one series, by its whole name. */
const figure = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};
const sendEvents = (events: unknown[], headers: Record<string, string> = {}) => {
  const body = JSON.stringify(events);
  const type = 'application/cloudevents-batch+json';
  return send('/v3/openmeter/events', { method: 'POST', token: SECRETS.INGEST_TOKEN, body, type, headers });
};
const event = (id: string) => ({
  specversion: '1.0',
  id,
  source: 's',
  type: 'call',
  subject: 'alice@secret.example',
  time: '2026-11-01T00:00:00Z',
  data: { note: 'secret-in-an-event' },
});

describe('metrics', () => {
  test('are for those who may read, for the token of the scraper, and for nobody else', async () => {
    const statuses = async (token: string) => (await send('/metrics', { token })).status;
    expect(await statuses('')).toBe(401);
    expect(await statuses('wrong-token-0123456789')).toBe(401);
    expect(await statuses(SECRETS.INGEST_TOKEN)).toBe(403);
    expect(await statuses(SECRETS.VIEWER_TOKEN)).toBe(200);
    const answer = await send('/metrics', { token: SECRETS.METRICS_TOKEN });
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect((await send('/v3/openmeter/meters', { token: SECRETS.METRICS_TOKEN })).status).toBe(401);
  });

  test('events by what became of them, and the transactions that they were stored in', async () => {
    const before = await scrape();
    const grown = (after: string, series: string) => (figure(after, series) ?? 0) - (figure(before, series) ?? 0);
    expect((await sendEvents([event('1'), event('2'), event('2')])).status).toBe(202);
    expect((await sendEvents([event('3'), { id: 'no source' }])).status).toBe(400);
    expect((await sendEvents([event('4'), { id: 'x' }], { Prefer: 'handling=lenient' })).status).toBe(202);
    const after = await scrape();
    const became = Object.fromEntries(
      ['accepted', 'duplicate', 'rejected', 'postponed'].map((outcome) => [
        outcome,
        grown(after, `metering_backend_ingest_events_total{outcome="${outcome}"}`),
      ]),
    );
    expect(became).toEqual({ accepted: 3, duplicate: 1, rejected: 3, postponed: 0 });
    expect(grown(after, 'metering_backend_commit_events_total')).toBe(4);
    expect(grown(after, 'metering_backend_commit_duration_seconds_count')).toBe(2);
    expect(figure(after, 'metering_backend_ingest_queue_max_events')).toBe(100_000);
  });

  test('requests by route, whatever paths and methods clients make up', async () => {
    for (const path of [
      '/v3/openmeter/meters/a',
      '/v3/openmeter/meters/b',
      '/v3/secret-path-1',
      '/v3/openmeter/x/y/z',
    ]) {
      expect((await send(path)).status).toBe(404);
    }
    const text = await scrape();
    const series = (method: string, route: string, status: number) =>
      figure(text, `metering_backend_http_requests_total{method="${method}",route="${route}",status="${status}"}`);
    expect(series('GET', '/v3/openmeter/meters/:meterId', 404)).toBe(2);
    expect(series('GET', 'other', 404)).toBe(2);
    expect(series('POST', '/v3/openmeter/events', 202)).toBe(2);
    expect(text).not.toContain('secret-path');
  });

  test('queries that are too many are refused with 503 and Retry-After, counted, and the probes do not wait for them', async () => {
    const events = Array.from({ length: EVENTS }, (_, index) => ({ ...event(`many-${index}`), type: 'many' }));
    expect((await sendEvents(events)).status).toBe(202);
    const body = { key: 'many', name: 'Many', aggregation: 'count', event_type: 'many' };
    const { id } = (await (await send('/v3/openmeter/meters', { method: 'POST', body })).json()) as { id: string };
    // By minute, so that events are read.
    const query = () => send(`/v3/openmeter/meters/${id}/query`, { method: 'POST', body: { granularity: 'PT1M' } });
    const asked = Array.from({ length: 12 }, query);
    const ready = await send('/readyz', { token: '' });
    expect(ready.status).toBe(200);
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(2);
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
    const text = await scrape();
    expect(figure(text, 'metering_backend_queries_total{kind="query",outcome="refused"}')).toBe(refused.length);
    expect(figure(text, 'metering_backend_query_duration_seconds_count{kind="query"}')).toBe(12 - refused.length);
    expect(figure(text, 'metering_backend_query_threads')).toBe(1);
    expect(figure(text, 'metering_backend_queries_max_waiting')).toBe(1);
  });

  test('jobs, databases, disk and process', async () => {
    await expect
      .poll(async () => figure(await scrape(), 'metering_backend_job_runs_total{job="billing",outcome="succeeded"}'))
      .toBe(1);
    const text = await scrape();
    const positive = [
      'metering_backend_job_last_success_timestamp_seconds{job="billing"}',
      'metering_backend_billing_run_finished_timestamp_seconds',
      'metering_backend_database_bytes{database="usage"}',
      'metering_backend_database_bytes{database="control"}',
      'metering_backend_database_wal_bytes{database="usage"}',
      'metering_backend_disk_free_bytes',
      'process_resident_memory_bytes',
    ];
    for (const name of positive) expect(figure(text, name), name).toBeGreaterThan(0);
    expect(figure(text, 'metering_backend_billing_run_items{outcome="failed"}')).toBe(0);
    expect(figure(text, 'nodejs_eventloop_lag_max_seconds')).toBeGreaterThanOrEqual(0);
    expect(figure(text, 'metering_backend_rollup_unfolded_events')).toBeGreaterThanOrEqual(0);
    expect(text).not.toContain('metering_backend_metrics_errors_total{');
  });
});

describe('readiness', () => {
  const inDatabase = (sql: string): void => {
    const db = new SqliteDatabase(join(dataDir, 'control.sqlite'));
    db.prepare(sql).run();
    db.close();
  };
  const readiness = async (token?: string) => {
    const answer = await send('/readyz', { token: token ?? '' });
    return { code: answer.status, ...((await answer.json()) as { status: string; checks: Record<string, unknown> }) };
  };

  test('names each part; what is the matter with it is for those who may read', async () => {
    const checks = {
      clock: 'ok',
      usage_store: 'ok',
      control_database: 'ok',
      migrations: 'ok',
      disk: 'ok',
      back_fill: 'ok',
    };
    expect(await readiness()).toEqual({ code: 200, status: 'ready', checks: { ...checks, jobs: 'ok', billing: 'ok' } });
    const shown = await readiness(SECRETS.VIEWER_TOKEN);
    expect(shown.checks['disk']).toMatchObject({ status: 'ok', detail: expect.stringContaining('bytes are free') });
    expect((await readiness('wrong-token-0123456789')).checks['disk']).toBe('ok');
  });

  test('billing that failed for somebody is no reason to send no requests', async () => {
    inDatabase('UPDATE billing_runs SET failed = 2, done = 5');
    expect(await readiness(SECRETS.VIEWER_TOKEN)).toMatchObject({
      code: 200,
      status: 'degraded',
      checks: { billing: { status: 'degraded', detail: expect.stringContaining('failed for 2 of 5') } },
    });
    expect(figure(await scrape(), 'metering_backend_billing_run_items{outcome="failed"}')).toBe(2);
    inDatabase('UPDATE billing_runs SET failed = 0');
  });

  test('a newer program on the same databases is one', async () => {
    inDatabase("INSERT INTO schema_migrations VALUES (9999, '9999-of-tomorrow.sql', 'x', '2027-01-01T00:00:00Z')");
    expect(await readiness(SECRETS.VIEWER_TOKEN)).toMatchObject({
      code: 503,
      status: 'not ready',
      failed: ['migrations'],
      checks: { migrations: { detail: 'a newer program has migrated the databases: 9999-of-tomorrow.sql' } },
    });
    // Its owner goes on until it is stopped; the next start of this program is refused.
    await expect(start()).rejects.toThrow(/is in use by the backend \(process \d+ on /);
    await backend.stop();
    await expect(start()).rejects.toThrow('9999-of-tomorrow.sql, this program does not know it: use a newer program');
    inDatabase('DELETE FROM schema_migrations WHERE version = 9999');
    backend = await start();
    expect((await readiness()).code).toBe(200);
  });
});

describe('what is logged', () => {
  test('one line of JSON a request, with its id; no secret in any, nor in metrics and errors', async () => {
    const answers: string[] = [];
    const note = async (answer: Response) => {
      answers.push(await answer.text());
      return answer;
    };
    const headers = { 'X-Request-Id': 'trace-of-this-test' };
    await note(await send('/v3/openmeter/meters?filter[key]=secret-in-a-query', { headers }));
    await note(await send('/v3/openmeter/meters', { token: 'secret-that-is-wrong-0123' }));
    await note(await send('/v3/openmeter/meters', { method: 'POST', body: '{"key": secret-in-a-body' }));
    await note(await sendEvents([{ ...event('9'), source: '' }]));
    const consumers = await note(await send('/v3/openmeter/usage-sources'));
    expect(consumers.status).toBe(200);
    answers.push(await scrape());
    const records = logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.find(({ requestId }) => requestId === 'trace-of-this-test')).toMatchObject({
      level: 30,
      msg: 'request',
      method: 'GET',
      path: '/v3/openmeter/meters',
      status: 200,
      durationMs: expect.any(Number),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    const written = `${logLines.join('')}${answers.join('')}`;
    for (const secret of Object.values(SECRETS)) expect(written).not.toContain(secret);
    expect(logLines.join('')).not.toMatch(/secret-in|secret-that|alice@secret/);
  });
});

test('a disk that is nearly full is a reason to send no requests; with METRICS_PUBLIC no token is needed', async () => {
  await backend.stop();
  backend = await start({ MIN_FREE_DISK_BYTES: '999999999999999', METRICS_PUBLIC: 'true' });
  const answer = await send('/readyz', { token: '' });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ status: 'not ready', failed: ['disk'] });
  expect((await send('/metrics', { token: '' })).status).toBe(200);
  expect((await send('/healthz', { token: '' })).status).toBe(200);
});
