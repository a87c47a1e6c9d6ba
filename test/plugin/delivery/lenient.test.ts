import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer, Received } from '../../support/plugin/ingest-server.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, event, ids, pushAll, serve, TOKEN, until } from '../../support/plugin/rig.ts';
import { filesIn, spoolSettings, tempFolder } from '../../support/plugin/spool.ts';

const soon = { maxBatchSize: 100, maxCoalescingDelayMs: 10, initialRetryDelayMs: 1, maxRetryDelayMs: 5 };
const APPLIED = { 'preference-applied': 'handling=lenient', 'content-type': 'application/json' };

/** Our backend, which refuses some events of a batch and stores the others. */
function lenient(culprits: readonly string[]): (request: Received) => Answer {
  return ({ ids: sent, headers }) => {
    expect(headers['prefer']).toBe('handling=lenient');
    const rejected = sent.flatMap((id, index) =>
      culprits.includes(id)
        ? [
            {
              index,
              id,
              source: 's',
              invalid_parameters: [{ field: 'subject', rule: 'required', reason: `is missing ${TOKEN}` }],
            },
          ]
        : [],
    );
    const body = JSON.stringify({
      received: sent.length,
      stored: sent.length - rejected.length,
      duplicates: 0,
      rejected,
    });
    return { status: 202, headers: APPLIED, body };
  };
}

/** The lines of all dead-letter files. */
function deadLetters(dir: string): Record<string, unknown>[] {
  return filesIn(join(dir, 'dead-letter')).flatMap((file) =>
    readFileSync(join(dir, 'dead-letter', file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

describe('a backend that judges each event', () => {
  test('refuses some: they are kept aside, the others are delivered, and nothing is sent twice', async () => {
    const dir = tempFolder();
    const server = await serve(lenient(['e3', 'e50', 'e99']));
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    for (const id of ids(100)) rig.delivery.push(event(id, 'payload'));
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 97, waiting: 0, retried: 0, dropped: { rejected: 3 } }),
    );
    expect(server.requests).toHaveLength(1);
    expect(rig.deliveries.snapshot()).toMatchObject({ deadLettered: 3 });
    expect(deadLetters(dir)).toEqual(
      ['e3', 'e50', 'e99'].map((id) => ({
        at: expect.stringMatching(/^20.*Z$/) as string,
        endpoint: new URL(server.url).origin,
        status: 202,
        reason: 'subject required: is missing [token]',
        event: JSON.parse(event(id, 'payload').json) as object,
      })),
    );
    expect(rig.linesOf('events dropped')[0]).toMatchObject({ reason: 'rejected', id: 'e3', status: 202 });
    expect(JSON.stringify(rig.lines)).not.toMatch(/payload|kpat/);
  });

  test('in memory only: they are dropped', async () => {
    const server = await serve(lenient(['e1']));
    const rig = createRig(server.url, { queue: soon });
    pushAll(rig.delivery, ids(3));
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 2, waiting: 0, dropped: { rejected: 1 } }),
    );
  });

  test('whose answer breaks off is asked again: nobody knows what it refused', async () => {
    const answer = lenient(['e1']);
    const server = await serve((request, index) => ({ ...answer(request), ...(index === 0 && { status: 202 }) }), {
      intercept(request, index) {
        if (index > 0) return false;
        request.resume().once('end', () => {
          request.socket.end(
            'HTTP/1.1 202 Accepted\r\npreference-applied: handling=lenient\r\ncontent-length: 500\r\n\r\n{"rej',
          );
        });
        return true;
      },
    });
    const rig = createRig(server.url, { queue: soon });
    pushAll(rig.delivery, ids(3));
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 2, retried: 1, waiting: 0, dropped: { rejected: 1 } }),
    );
  });

  test.each([
    ['no JSON', 'well done'],
    ['JSON without a list', '{"received":3}'],
    ['places that the batch does not have', '{"rejected":[{"index":9}]}'],
    ['more than can be read', JSON.stringify({ rejected: [{ index: 0, detail: 'x'.repeat(1_100_000) }] })],
  ])('and answers with %s: the batch is split, and a single event is taken for stored', async (_name, body) => {
    const server = await serve(({ ids: sent }, index) =>
      index > 2 && sent.length === 1 && sent[0] === 'e1' && body.length < 100
        ? { status: 202, headers: APPLIED, body: '{"rejected":[{"index":0}]}' }
        : { status: 202, headers: APPLIED, body },
    );
    const rig = createRig(server.url, { queue: soon });
    pushAll(rig.delivery, ids(4));
    await until(() => expect(rig.deliveries.counters().waiting).toBe(0));
    const isLegible = body.length < 100;
    expect(rig.deliveries.counters()).toMatchObject({
      sent: isLegible ? 3 : 4,
      dropped: isLegible ? { rejected: 1 } : {},
    });
  });

  test('a backend that knows nothing of it has stored all, whatever its body says', async () => {
    const body = JSON.stringify({ rejected: [{ index: 0 }] });
    const server = await serve(() => ({ status: 200, headers: { 'content-type': 'application/json' }, body }));
    const rig = createRig(server.url, { queue: soon });
    pushAll(rig.delivery, ids(3));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 3, waiting: 0, dropped: {} }));
  });
});

describe('dead letters', () => {
  test('of a backend that refuses whole batches: the culprit is found and kept aside', async () => {
    const dir = tempFolder();
    const body = JSON.stringify({ detail: 'what is this?' });
    const server = await serve(({ ids: sent }) => ({ status: sent.includes('e7') ? 422 : 202, body }));
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    pushAll(rig.delivery, ids(20));
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 19, waiting: 0, dropped: { rejected: 1 } }),
    );
    expect(deadLetters(dir)).toMatchObject([{ status: 422, reason: 'what is this?', event: { id: 'e7' } }]);
    await rig.deliveries.stop(100);
    // What the process leaves behind is for people; no process sends it again.
    const next = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    pushAll(next.delivery, ids(1, 'next'));
    await until(() => expect(next.deliveries.counters()).toMatchObject({ sent: 1, adopted: 0, waiting: 0 }));
    expect(deadLetters(dir)).toHaveLength(1);
  });

  test('are bounded: the oldest go, and are counted', async () => {
    const dir = tempFolder();
    const server = await serve(() => ({ status: 400 }));
    const spool = spoolSettings(dir, { deadLetterMaxBytes: 65_536 });
    const rig = createRig(server.url, { spool, queue: { ...soon, maxBatchSize: 1 } });
    for (const id of ids(200)) rig.delivery.push(event(id, 'x'.repeat(1000)));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, dropped: { rejected: 200 } }));
    const kept = deadLetters(dir).map((letter) => (letter['event'] as { id: string }).id);
    expect(kept).toEqual(ids(200).slice(200 - kept.length));
    const bytes = filesIn(join(dir, 'dead-letter')).reduce(
      (sum, file) => sum + readFileSync(join(dir, 'dead-letter', file)).length,
      0,
    );
    expect(bytes).toBeLessThanOrEqual(65_536);
    expect(kept.length).toBeGreaterThan(40);
    expect(rig.deliveries.snapshot()).toMatchObject({ deadLettered: 200, deadLettersLost: 200 - kept.length });
    // Files of other processes count and go as well.
    const other = createRig(server.url, { spool, queue: { ...soon, maxBatchSize: 1 } });
    for (const id of ids(100, 'other')) other.delivery.push(event(id, 'x'.repeat(1000)));
    await until(() => expect(other.deliveries.counters()).toMatchObject({ waiting: 0, dropped: { rejected: 100 } }));
    expect(deadLetters(dir).every((letter) => (letter['event'] as { id: string }).id.startsWith('other'))).toBe(true);
    rig.delivery.push(event('again', 'x'.repeat(1000)));
    await until(() => expect(rig.deliveries.counters().dropped).toEqual({ rejected: 201 }));
    expect(deadLetters(dir).map((letter) => (letter['event'] as { id: string }).id)).toContain('again');
  });

  test('that cannot be kept are counted, and block nothing', async () => {
    const dir = tempFolder();
    writeFileSync(join(dir, 'dead-letter'), 'in the way');
    const server = await serve(({ ids: sent }) => ({ status: sent.includes('e1') ? 400 : 202 }));
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: { ...soon, maxBatchSize: 1 } });
    pushAll(rig.delivery, ids(5));
    await until(() =>
      expect(rig.deliveries.counters()).toMatchObject({ sent: 4, waiting: 0, dropped: { rejected: 1 } }),
    );
    expect(rig.deliveries.snapshot()).toMatchObject({ deadLettered: 0, deadLettersLost: 1 });
    expect(rig.linesOf('the spool has trouble with its disk')).not.toEqual([]);
  });
});

describe('what was dropped', () => {
  test('is reported in an empty batch when nothing else is sent, to a backend that has shown that it knows', async () => {
    const clock = createManualClock();
    const server = await serve(lenient([]));
    const rig = createRig(server.url, {
      clock,
      node: 'gw-1',
      queue: { ...soon, maxBatchSize: 1, maxEntries: 5, maxBytes: 500 },
    });
    clock.advance(5000);
    pushAll(rig.delivery, ids(1));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, waiting: 0 }));
    rig.deliveries.reportDrop('no_subject', 3);
    rig.delivery.push(event('huge', 'x'.repeat(1000)));
    await until(() => {
      clock.advance(5000);
      expect(server.requests).toHaveLength(2);
    });
    const { body, headers } = server.requests[1] ?? {};
    expect(body).toBe('[]');
    expect(headers).toMatchObject({
      'metering-node': 'gw-1',
      'metering-taken': '2',
      'metering-dropped': 'no_subject=3,event_too_large=1',
    });
    expect(headers).not.toHaveProperty('metering-sequence');
    // Once: there is nothing new.
    for (let ticks = 0; ticks < 5; ticks++) clock.advance(5000);
    pushAll(rig.delivery, ids(1, 'more'));
    await until(() => expect(server.requests).toHaveLength(3));
    expect(server.requests[2]?.ids).toEqual(['more0']);
  });

  test('is reported at the end, of a process as of what it has taken over, when no batch told it', async () => {
    const dir = tempFolder();
    const server = await serve(() => ({ status: 503 }));
    const dead = createRig(server.url, { spool: spoolSettings(dir), node: 'dead', queue: soon });
    pushAll(dead.delivery, ids(3, 'bad'));
    await dead.deliveries.stop(0);
    server.respond = lenient(['bad0', 'e1']);
    const rig = createRig(server.url, { spool: spoolSettings(dir), node: 'gw-1', queue: { ...soon, maxBatchSize: 3 } });
    const reports = () => server.requests.filter(({ body }) => body === '[]').map(({ headers }) => headers);
    await until(() => expect(reports()).toMatchObject([{ 'metering-node': 'dead', 'metering-dropped': 'rejected=1' }]));
    pushAll(rig.delivery, ids(3));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, dropped: { rejected: 2 } }));
    await rig.deliveries.stop(5000);
    expect(reports()).toMatchObject([
      { 'metering-node': 'dead' },
      { 'metering-node': 'gw-1', 'metering-dropped': 'rejected=1' },
    ]);
  });

  test('of a process of which only a refused event is left is reported as soon as the backend has shown that it knows', async () => {
    const dir = tempFolder();
    const server = await serve(() => ({ status: 503 }));
    const dead = createRig(server.url, { spool: spoolSettings(dir), node: 'dead', queue: soon });
    pushAll(dead.delivery, ['bad']);
    await dead.deliveries.stop(0);
    server.respond = (request) => (request.ids.includes('bad') ? { status: 400 } : lenient([])(request));
    const rig = createRig(server.url, { spool: spoolSettings(dir), node: 'gw-1', queue: soon });
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ waiting: 0, dropped: { rejected: 1 } }));
    const reports = () => server.requests.filter(({ body }) => body === '[]').map(({ headers }) => headers);
    expect(reports()).toEqual([]);
    pushAll(rig.delivery, ids(1));
    await until(() => expect(reports()).toMatchObject([{ 'metering-node': 'dead', 'metering-dropped': 'rejected=1' }]));
  });

  test('is not reported to others', async () => {
    const clock = createManualClock();
    const server = await serve();
    const rig = createRig(server.url, { clock, queue: { ...soon, maxBatchSize: 1 } });
    pushAll(rig.delivery, ids(1));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ sent: 1, waiting: 0 }));
    rig.deliveries.reportDrop('no_subject', 3);
    for (let ticks = 0; ticks < 5; ticks++) clock.advance(5000);
    pushAll(rig.delivery, ids(1, 'more'));
    await until(() => expect(server.accepted).toEqual(['e0', 'more0']));
    expect(server.requests).toHaveLength(2);
  });
});
