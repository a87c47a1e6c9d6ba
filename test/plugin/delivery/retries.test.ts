import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, type Respond, startIngestServer } from '../../support/plugin/ingest-server.ts';
import { createManualClock, type ManualClock } from '../../support/plugin/manual-clock.ts';
import { barrier, createRig, event, ids, pushAll, serve, TOKEN, until } from '../../support/plugin/rig.ts';

/** Answers in turn, then 202. */
function first(...answers: readonly Answer[]): Respond {
  return (_request, index) => answers[index] ?? { status: 202 };
}

const oneEach = { maxBatchSize: 1 };

/** Waits until a pause of that length is set, which is then slept through. */
async function sleepThrough(clock: ManualClock, pauseMs: number): Promise<void> {
  await until(() => expect(clock.timersInMs()).toContain(pauseMs));
  clock.advance(pauseMs);
}

describe('what is retried', () => {
  test.each([
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['408', { status: 408 }],
    ['429', { status: 429 }],
    ['404', { status: 404 }],
    ['401', { status: 401 }],
    ['302, not followed', { status: 302, headers: { location: '/elsewhere' } }],
    ['a connection closed before the answer', { status: 202, close: 'before answer' }],
    ['a connection closed half way through the headers', { status: 202, close: 'within headers' }],
    ['a connection closed half way through the body of a 500', { status: 500, close: 'within body' }],
  ] as const)('%s, then 202', async (_name, answer) => {
    const server = await serve(first(answer));
    const rig = createRig(server.url, { queue: { maxBatchSize: 3, breakerCooldownMs: 100 } });
    pushAll(rig.delivery, ids(3));
    await until(() =>
      expect(rig.deliveries.counters()).toEqual({ taken: 3, adopted: 0, sent: 3, retried: 1, waiting: 0, dropped: {} }),
    );
    expect(server.requests.map((request) => request.ids)).toEqual([ids(3), ids(3)]);
    expect(server.requests[1]?.path).toBe('/v3/openmeter/events');
  });

  test('not a 2xx whose body breaks off: the batch has been accepted', async () => {
    const server = await serve(first({ status: 202, close: 'within body' }));
    const rig = createRig(server.url, { queue: oneEach });
    pushAll(rig.delivery, ids(2));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2, retried: 0, waiting: 0 }));
    expect(server.requests).toHaveLength(2);
  });

  test('nor one whose body never ends', async () => {
    let head = 0;
    const server = await serve(undefined, {
      intercept(request) {
        const { socket } = request;
        request.resume().once('end', () => {
          head++;
          socket.write('HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n');
          const pour = () => {
            while (socket.writable && socket.write(`8000\r\n${'x'.repeat(0x8000)}\r\n`));
          };
          socket.on('drain', pour).on('error', () => {});
          pour();
        });
        return true;
      },
    });
    const rig = createRig(server.url, { clock: createManualClock(), queue: oneEach });
    pushAll(rig.delivery, ids(2));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2, retried: 0, waiting: 0 }));
    expect(head).toBe(2);
  });

  test('a connection closed half way through the request', async () => {
    let cut = 0;
    const server = await serve(undefined, {
      intercept(request, index) {
        if (index > 0) return false;
        request.once('data', () => {
          cut++;
          request.socket.destroy();
        });
        return true;
      },
    });
    const rig = createRig(server.url, { queue: oneEach });
    rig.delivery.push(event('large', 'x'.repeat(900_000)));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 1 }));
    expect(cut).toBe(1);
    expect(server.accepted).toEqual(['large']);
  });

  test('a connection refused, until the endpoint is up', async () => {
    const down = await startIngestServer();
    const { url, port } = down;
    await down.close();
    const rig = createRig(url, { queue: { maxBatchSize: 10, maxRetryDelayMs: 20 } });
    pushAll(rig.delivery, ids(10));
    await until(() => expect(rig.deliveries.counters().retried).toBeGreaterThan(1));
    expect(rig.linesOf('delivery failed, trying again')[0]).toMatchObject({ level: 'warn', code: 'ECONNREFUSED' });
    const up = await serve(undefined, { port });
    await until(() => expect(up.accepted).toEqual(ids(10)));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 10, waiting: 0, dropped: {} }));
  });
});

describe('timeouts', () => {
  test('a server that does not answer in time is asked again', async () => {
    const clock = createManualClock();
    const server = await serve((_request, index) => (index === 0 ? new Promise(() => {}) : { status: 202 }));
    const rig = createRig(server.url, { clock, timeoutMs: 3000, random: () => 0.5, queue: oneEach });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(server.requests).toHaveLength(1));
    clock.advance(2999);
    expect(rig.lines).toEqual([]);
    clock.advance(1);
    await sleepThrough(clock, 5);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 1 }));
    expect(rig.linesOf('delivery failed, trying again')[0]).toMatchObject({ code: 'TIMEOUT' });
  });

  test('a server that sends a byte now and then is cut off by the bound of the whole request', async () => {
    const sockets: Socket[] = [];
    const drip = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 500 Internal Server Error\r\n');
      const timer = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    }).listen(0, '127.0.0.1');
    await once(drip, 'listening');
    onTestFinished(() => {
      drip.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = drip.address() as AddressInfo;
    const rig = createRig(`http://127.0.0.1:${port}/`, { timeoutMs: 200, queue: oneEach });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(rig.deliveries.counters().retried).toBeGreaterThan(0));
    expect(rig.linesOf('delivery failed, trying again')[0]).toMatchObject({ code: 'TIMEOUT' });
  });

  test('a connection that never comes about does not hold a batch for longer', async () => {
    // Accepts, and never says a word of TLS.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const clock = createManualClock();
    const rig = createRig(`https://127.0.0.1:${port}/`, { clock, timeoutMs: 7000, random: () => 0, queue: oneEach });
    pushAll(rig.delivery, ids(1));
    await sleepThrough(clock, 7000);
    await until(() => expect(rig.linesOf('delivery failed, trying again')[0]).toMatchObject({ code: 'TIMEOUT' }));
    await sleepThrough(clock, 0);
    await until(() => expect(rig.deliveries.counters().retried).toBe(1));
  });

  test('an accepted batch whose answer drips is accepted, not sent again', async () => {
    const clock = createManualClock();
    let head = 0;
    const server = await serve(undefined, {
      intercept(request) {
        request.resume().once('end', () => {
          request.socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\nslow', () => head++);
        });
        return true;
      },
    });
    const rig = createRig(server.url, { clock, timeoutMs: 3000, queue: oneEach });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(head).toBe(1));
    // The head is read before the time is up; only the body is late.
    await barrier();
    clock.advance(3000);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 0, waiting: 0 }));
  });
});

describe('pauses', () => {
  test('grow exponentially under full jitter, up to the maximum', async () => {
    const clock = createManualClock();
    const server = await serve(first(...Array.from({ length: 6 }, () => ({ status: 500 }))));
    const queue = { ...oneEach, initialRetryDelayMs: 100, maxRetryDelayMs: 1000, maxRetryTimeMs: 1e9 };
    const rig = createRig(server.url, { clock, random: () => 0.5, queue });
    pushAll(rig.delivery, ids(1));
    for (const pauseMs of [50, 100, 200, 400, 500, 500]) await sleepThrough(clock, pauseMs);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 6 }));
  });

  const inTwoMinutes = 'Sat, 21 Nov 2026 12:02:00 GMT';
  test.each([
    ['seconds', { 'retry-after': '17' }, 17_000],
    ['seconds past the maximum, which caps them', { 'retry-after': '86400' }, 30_000],
    [
      'a date, by the clock of the answer',
      { 'retry-after': inTwoMinutes, date: 'Sat, 21 Nov 2026 12:01:49 GMT' },
      11_000,
    ],
    ['a date that has passed', { 'retry-after': inTwoMinutes, date: 'Sat, 21 Nov 2026 12:03:00 GMT' }, 5],
    ['nonsense, which is left alone', { 'retry-after': 'soon' }, 5],
  ] as const)('obey Retry-After in %s', async (_name, headers, pauseMs) => {
    const clock = createManualClock();
    const server = await serve(first({ status: 429, headers }));
    const queue = { ...oneEach, maxRetryDelayMs: 30_000 };
    const rig = createRig(server.url, { clock, random: () => 0.5, queue });
    pushAll(rig.delivery, ids(1));
    await sleepThrough(clock, pauseMs);
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, retried: 1 }));
  });
});

describe('max_retry_time', () => {
  test('a batch is dropped when it has been tried for that long, and the next one has its own time', async () => {
    const clock = createManualClock();
    const server = await serve(({ ids: sent }) => ({ status: sent[0] === 'e0' ? 503 : 202 }));
    const queue = { maxBatchSize: 2, initialRetryDelayMs: 4000, maxRetryDelayMs: 4000, maxRetryTimeMs: 10_000 };
    const rig = createRig(server.url, { clock, random: () => 0.999, queue });
    pushAll(rig.delivery, ids(4));
    for (let attempts = 1; attempts <= 3; attempts++) {
      expect(rig.deliveries.counters().dropped).toEqual({});
      await sleepThrough(clock, 3996);
    }
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 2, waiting: 0 }));
    expect(rig.deliveries.counters().dropped).toEqual({ retry_time_exceeded: 2 });
    expect(rig.linesOf('events dropped')).toMatchObject([{ reason: 'retry_time_exceeded', count: 2, status: 503 }]);
    expect(server.requests.filter((request) => request.ids[0] === 'e0')).toHaveLength(4);
    expect(server.accepted).toEqual(['e2', 'e3']);
  });

  test('of 0 is one attempt', async () => {
    const server = await serve(first({ status: 500 }));
    const rig = createRig(server.url, { queue: { ...oneEach, maxRetryTimeMs: 0 } });
    pushAll(rig.delivery, ids(2));
    await until(() => expect(server.accepted).toEqual(['e1']));
    expect(rig.deliveries.counters()).toMatchObject({ retried: 0, dropped: { retry_time_exceeded: 1 } });
  });
});

test.each([401, 403])('a refused token (%i) is named as such, at once and then once a minute', async (status) => {
  const clock = createManualClock();
  const server = await serve(() => ({ status, body: JSON.stringify({ detail: `no such token: Bearer ${TOKEN}` }) }));
  const queue = { ...oneEach, breakerCooldownMs: 10_000, maxRetryTimeMs: 1e9 };
  const rig = createRig(server.url, { clock, random: () => 0.5, queue });
  const refusals = () =>
    rig.linesOf('the endpoint refused the API token').map(({ level, count, status: said }) => ({ level, count, said }));
  pushAll(rig.delivery, ids(1));
  await until(() => expect(refusals()).toEqual([{ level: 'error', count: 1, said: status }]));
  // The breaker opens at once, and one attempt is made after each rest.
  expect(rig.linesOf('the breaker opened: the endpoint keeps failing')).toHaveLength(1);
  for (let rests = 0; rests < 7; rests++) {
    await sleepThrough(clock, 0);
    await sleepThrough(clock, 10_000);
    await until(() => expect(server.requests).toHaveLength(2 + rests));
  }
  await until(() => expect(refusals()).toHaveLength(2));
  expect(refusals()[1]).toEqual({ level: 'error', count: expect.any(Number) as number, said: status });
  expect(rig.linesOf('delivery failed, trying again')).toEqual([]);
  expect(JSON.stringify(rig.lines)).not.toContain(TOKEN);
});
