import { setTimeout as pause } from 'node:timers/promises';
import { fetch } from 'undici';
import { expect, test } from 'vitest';
import { type CollectProcess, startCollectProcess } from '../support/collectors/collect-process.ts';
import { collectorConfig } from '../support/collectors/collector-config.ts';
import { surroundingsOfEachTest } from '../support/collectors/surroundings.ts';

/**
 * What an undisturbed run gives is known: a record is an event. So whatever happens in between (kills at any moment, a
 * second process, an endpoint that is gone, fails or cuts connections, clients that try again), each record is there, once.
 */
const KILLS = process.env['LONG'] === '1' ? 200 : 4;
const CLIENTS = 4;
const RECORDS = 25;

const around = surroundingsOfEachTest();

const configOf = () =>
  collectorConfig({
    name: 'logs',
    input: 'otel_log: { address: "127.0.0.1:0", http_address: "127.0.0.1:0" }',
    mapping: '{"type": "t", "source": "s", "subject": record.attributes.subject, "data": {"n": "0.1"}}',
    url: around.server.url,
    output: ', timeout: 2s',
    spool: `${around.folder.path}/spool.sqlite`,
  });

/** A request's body; every one has other records. */
const bodyOf = (request: number) =>
  JSON.stringify({
    resourceLogs: [
      {
        scopeLogs: [
          {
            logRecords: Array.from({ length: RECORDS }, (_, index) => ({
              timeUnixNano: '1796000000137000000',
              attributes: [{ key: 'subject', value: { stringValue: `${request}/${index}` } }],
            })),
          },
        ],
      },
    ],
  });

test(`${KILLS} kills lose nothing that was acknowledged, and count nothing twice`, async () => {
  let port = 0;
  let isOver = false;
  let requests = 0;
  let acknowledged = 0;

  async function client(): Promise<void> {
    while (!isOver) {
      const body = bodyOf(requests++);
      while (!(await isTaken(body))) await pause(20);
      acknowledged++;
    }
  }
  async function isTaken(body: string): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return (await answer.text()) === '{}' && answer.status === 200;
    } catch {
      // Cut off: whether it was taken, nobody knows, and the same is sent again.
      return false;
    }
  }
  async function start(): Promise<CollectProcess> {
    const started = startCollectProcess(around.folder.path, configOf());
    port = (await started.line('taking OTLP logs'))['http'] as number;
    return started;
  }

  const ways = [() => ({ status: 204 }), () => ({ status: 503 }), () => ({ status: 500 }), () => ({ status: 204 })];
  let collector = await start();
  const clients = Array.from({ length: CLIENTS }, client);
  for (let kill = 0; kill < KILLS; kill++) {
    around.server.answer = ways[kill % ways.length] ?? (() => ({ status: 204 }));
    await pause(Math.random() * 300);
    if (kill % 10 === 1) {
      const second = startCollectProcess(around.folder.path, configOf());
      expect(await second.ended).toBe(1);
      expect(second.said.join('\n')).toContain('is in use by another process');
    }
    await collector.end(kill % 5 === 4 ? 'SIGTERM' : 'SIGKILL');
    collector = await start();
  }
  isOver = true;
  await Promise.all(clients);
  around.server.answer = () => ({ status: 204 });
  const wanted = acknowledged * RECORDS;
  expect(acknowledged).toBe(requests);
  expect(requests).toBeGreaterThan(CLIENTS);
  await expect.poll(() => around.server.stored.length, { timeout: 120_000, interval: 200 }).toBe(wanted);
  expect(await collector.end('SIGTERM')).toBe(0);
  expect(around.server.stored.length).toBe(wanted);
  // What was sent more than once had the id that it had before.
  const sent = around.server.requests.reduce((sum, { ids }) => sum + ids.length, 0);
  expect(sent).toBeGreaterThanOrEqual(wanted);

  // The ledger's view: one series of numbers over all restarts, without gaps.
  const series = new Set(around.server.requests.map(({ headers }) => headers['metering-process']));
  expect(series.size).toBe(1);
  const taken = Math.max(...around.server.requests.map(({ headers }) => Number(headers['metering-taken'])));
  const numbers = new Set(
    around.server.requests.flatMap(({ headers }) => numbersOf(String(headers['metering-sequence']))),
  );
  expect(numbers.size).toBe(taken);
});

function numbersOf(ranges: string): number[] {
  return ranges.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
