import { describe, expect, test } from 'vitest';
import type { Respond } from '../../support/plugin/ingest-server.ts';
import { createRig, event, ids, pushAll, serve, until } from '../../support/plugin/rig.ts';

/** A backend as the contract has it: a batch is all or nothing. */
function refusing(culprits: readonly string[], status: number, body?: string): Respond {
  return ({ ids: sent }) =>
    sent.some((id) => culprits.includes(id))
      ? { status, headers: { 'content-type': 'application/problem+json' }, ...(body !== undefined && { body }) }
      : { status: 202 };
}

const problem = JSON.stringify({
  type: 'https://kongapi.info/konnect/bad-request',
  status: 400,
  title: 'Bad Request',
  detail: `the event is not acceptable ${'d'.repeat(5000)}`,
  invalid_parameters: Array.from({ length: 50 }, (_, index) => ({
    field: `events.${index}.time`,
    rule: 'format',
    reason: 'is not a date',
    source: 'body',
  })),
  secret_echo: 'the whole event',
});

describe.each([400, 413, 422])('a batch refused with %i', (status) => {
  test.each([
    ['the first', ['e0']],
    ['the last', ['e99']],
    ['one in the middle', ['e57']],
    ['several', ['e3', 'e4', 'e50', 'e98']],
  ])('is split until the culprit is alone: %s', async (_name, culprits) => {
    const server = await serve(refusing(culprits, status, problem));
    const rig = createRig(server.url, { queue: { maxBatchSize: 100 } });
    pushAll(rig.delivery, ids(100));
    await until(() =>
      expect(rig.deliveries.counters()).toEqual({
        taken: 100,
        adopted: 0,
        sent: 100 - culprits.length,
        retried: 0,
        waiting: 0,
        dropped: { rejected: culprits.length },
      }),
    );
    // Every other event exactly once, in order.
    expect(server.accepted).toEqual(ids(100).filter((id) => !culprits.includes(id)));
    // Halving 100 ends after at most 7 steps, two requests each.
    expect(server.requests.length).toBeLessThanOrEqual(1 + 14 * culprits.length);
  });
});

test('a batch of nothing but culprits is dropped event by event', async () => {
  const server = await serve(refusing(ids(16), 400));
  const rig = createRig(server.url, { queue: { maxBatchSize: 16 } });
  pushAll(rig.delivery, ids(16));
  await until(() => expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, dropped: { rejected: 16 } }));
  expect(server.requests).toHaveLength(31);
});

test('the culprit is logged with its id, the status and what the problem says, bounded, and without content', async () => {
  const server = await serve(refusing(['bad'], 400, problem));
  const rig = createRig(server.url, { queue: { maxBatchSize: 2 } });
  rig.delivery.push(event('good', 'payload-of-the-good'));
  rig.delivery.push(event('bad', 'payload-of-the-bad'));
  await until(() => expect(rig.deliveries.counters().dropped).toEqual({ rejected: 1 }));
  const [line] = rig.linesOf('events dropped');
  expect(line).toMatchObject({ level: 'warn', reason: 'rejected', count: 1, id: 'bad', status: 400 });
  expect(line?.['detail']).toMatch(/^the event is not acceptable d+$/);
  expect(line?.['invalid_parameters']).toMatch(/^events\.0\.time format: is not a date; events\.1\./);
  expect(JSON.stringify(rig.lines)).not.toMatch(/payload-of|secret_echo|the whole event/);
  expect(JSON.stringify(line).length).toBeLessThan(1000);
});

test.each([
  ['no body', ''],
  ['not JSON', '<html>payload</html>'],
  ['not an object', '"payload"'],
  ['an endless body', `{"detail":"${'payload'.repeat(100_000)}`],
])('an answer with %s is logged without it', async (_name, body) => {
  const server = await serve(refusing(['bad'], 422, body));
  const rig = createRig(server.url, { queue: { maxBatchSize: 1 } });
  pushAll(rig.delivery, ['bad', 'good']);
  await until(() => expect(server.accepted).toEqual(['good']));
  expect(rig.linesOf('events dropped')).toEqual([
    {
      level: 'warn',
      msg: 'events dropped',
      reason: 'rejected',
      endpoint: expect.any(String),
      id: 'bad',
      status: 422,
      count: 1,
    },
  ]);
});

test('an outage in the middle of the splitting costs nothing but retries', async () => {
  const refuse = refusing(['e5'], 400);
  const server = await serve((request, index) => (index % 2 === 1 ? { status: 503 } : refuse(request, index)));
  const rig = createRig(server.url, { queue: { maxBatchSize: 16, initialRetryDelayMs: 1, maxRetryDelayMs: 2 } });
  pushAll(rig.delivery, ids(16));
  await until(() =>
    expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, sent: 15, dropped: { rejected: 1 } }),
  );
  expect(server.accepted).toEqual(ids(16).filter((id) => id !== 'e5'));
});
