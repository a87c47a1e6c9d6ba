import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../delivery/clock.ts';
import { createRareLog } from '../../../delivery/rare-log.ts';
import { type MetricsServer, startMetricsServer } from '../../../plugin/delivery/metrics-server.ts';
import { prometheusText } from '../../../plugin/delivery/prometheus.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, event, ids, pushAll, serve, settingsFor, until } from '../../support/plugin/rig.ts';
import { spoolSettings, tempFolder } from '../../support/plugin/spool.ts';
import { startChild } from './support/child.ts';

/** The samples of a text, by name with labels. Every line has to be one of the format. */
function samplesOf(text: string): Record<string, number> {
  const samples: Record<string, number> = {};
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment !== null) {
      if (comment[1] === 'TYPE') types.set(comment[2] ?? '', comment[3] ?? '');
      continue;
    }
    const match = /^([a-z_]+)((?:\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})?) ([\d.e+-]+)$/.exec(line);
    expect([line, match]).not.toEqual([line, null]);
    const [, name = '', labels = '', value] = match ?? [];
    expect(types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram').toBe(true);
    if (name.endsWith('_total')) expect(types.get(name)).toBe('counter');
    samples[name + labels] = Number(value);
  }
  return samples;
}

function start(port: number, read: () => string): { server: MetricsServer; lines: string[] } {
  const lines: string[] = [];
  const rareLog = createRareLog((_level, msg) => lines.push(msg), systemClock);
  const server = startMetricsServer({ address: { host: '127.0.0.1', port }, clock: systemClock, rareLog, read });
  onTestFinished(() => server.close());
  return { server, lines };
}

const listening = async (server: MetricsServer) => {
  await until(() => expect(server.address).toBeDefined());
  return `http://127.0.0.1:${server.address?.port}`;
};

describe('the metrics', () => {
  test('count what happens to events', async () => {
    const clock = createManualClock();
    const server = await serve(({ ids: sent }, index) => ({
      status: index === 0 ? 500 : sent.includes('bad') ? 400 : 202,
    }));
    const queue = { maxBatchSize: 1, initialRetryDelayMs: 10, maxRetryDelayMs: 10 };
    const rig = createRig(server.url, { clock, random: () => 0.5, spool: spoolSettings(tempFolder()), queue });
    pushAll(rig.delivery, ids(9));
    rig.delivery.push(event('bad'));
    expect(prometheusText(rig.deliveries.snapshot())).not.toContain('requests_served');
    const outcomes = { metered: 10, no_subject: 3 };
    rig.deliveries.tellAccount({ id: 'a', revision: 1, served: 12, outcomes, unexplained: 0 });
    rig.deliveries.tellAccount({ id: 'a', revision: 2, served: 15, outcomes, unexplained: 2 });
    rig.deliveries.reportDrop('a "strange"\\reason\n', 2);
    clock.advance(1);
    await until(() => expect(clock.timersInMs()).toContain(5));
    clock.advance(4);
    const before = samplesOf(prometheusText(rig.deliveries.snapshot()));
    expect(before).toMatchObject({
      metering_events_taken_total: 10,
      metering_events_sent_total: 0,
      metering_queue_events: 10,
      metering_queue_oldest_age_seconds: 0.005,
      metering_requests_served_total: 15,
      metering_requests_metered_total: 10,
      'metering_requests_not_metered_total{reason="no_subject"}': 3,
      metering_requests_unexplained: 2,
      'metering_events_dropped_total{reason="a \\"strange\\"\\\\reason\\n"}': 2,
    });
    clock.advance(15);
    await until(() => {
      clock.advance(5);
      expect(rig.deliveries.counters().waiting).toBe(0);
    });
    await until(() => expect(rig.deliveries.snapshot().syncs.count).toBeGreaterThan(0));
    const after = samplesOf(prometheusText(rig.deliveries.snapshot()));
    expect(after).toMatchObject({
      metering_events_sent_total: 9,
      metering_requests_retried_total: 1,
      metering_events_dead_lettered_total: 1,
      'metering_events_dropped_total{reason="rejected"}': 1,
      metering_queue_events: 0,
      metering_queue_oldest_age_seconds: 0,
      metering_spool_max_bytes: 1024 ** 3,
      metering_spool_errors_total: 0,
    });
    const count = after['metering_spool_sync_seconds_count'] ?? 0;
    expect(after['metering_spool_sync_seconds_bucket{le="+Inf"}']).toBe(count);
    expect(after['metering_spool_sync_seconds_bucket{le="5"}']).toBeLessThanOrEqual(count);
  });

  test('without a spool have nothing of one', () => {
    const rig = createRig('http://127.0.0.1:1/', { clock: createManualClock() });
    expect(prometheusText(rig.deliveries.snapshot())).not.toContain('spool_bytes');
  });
});

describe('the endpoint', () => {
  test('answers scrapers, and nobody else', async () => {
    const { server } = start(0, () => 'metering_events_taken_total 3\n');
    const url = await listening(server);
    const answer = await fetch(`${url}/metrics`);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'metering_events_taken_total 3\n',
    ]);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  test('survives whoever speaks no HTTP', async () => {
    const { server } = start(0, () => 'fine\n');
    const url = await listening(server);
    const socket = connect(server.address?.port ?? 0, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
    await new Promise((resolve) => socket.on('close', resolve).resume());
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('fine\n');
  });

  test('takes over the port when the process before has let go of it', { timeout: 30_000 }, async () => {
    const first = start(0, () => 'first\n');
    const url = await listening(first.server);
    const second = start(first.server.address?.port ?? 0, () => 'second\n');
    await until(() => expect(second.lines).toEqual(['the metrics cannot be served']));
    first.server.close();
    await until(async () => expect(await (await fetch(`${url}/metrics`)).text()).toBe('second\n'));
  });

  test('is off unless the environment says otherwise, and keeps no process alive', async () => {
    const server = await serve();
    const task = { settings: settingsFor(server.url, { queue: { maxBatchSize: 1 } }), ids: ids(3), stayAlive: false };
    const folder = tempFolder();
    const env = {
      METERING_METRICS: '0',
      METERING_SPOOL_SYNC_MS: 'soon',
      METERING_SPOOL_DIR: folder,
      METERING_REQUESTS_LOG: join(folder, 'requests.log'),
    };
    const ended = await startChild(task, env).ended;
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(ended.stderr).toContain('METERING_SPOOL_SYNC_MS must be a whole number');
    expect(server.accepted.toSorted()).toEqual(ids(3));
  });
});
