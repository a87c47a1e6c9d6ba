import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Collected, configOf, sumsOf } from '../../support/collectors/prometheus/collecting.ts';
import { twentyMinutes } from '../../support/collectors/prometheus/histories.ts';
import { startQueryServer, vector } from '../../support/collectors/prometheus/query-server.ts';
import {
  type History,
  HOW_TO_GET_IT,
  hasPrometheus,
  type RealPrometheus,
  startPrometheus,
} from '../../support/collectors/prometheus/real-prometheus.ts';
import { startCollect } from '../../support/collectors/running.ts';
import { collectOnce, surroundingsOfEachTest, tempFolder } from '../../support/collectors/surroundings.ts';

const MINUTE_MS = 60_000;
const story = twentyMinutes(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 30 * MINUTE_MS);

/** Targets that are new in the 6th minute. */
const BORN_MS = story.startMs + 5 * MINUTE_MS;
const inTwoScrapes = (name: string, instance: string, tenant: string, values: readonly [string, string]): History => ({
  name,
  labels: { job: 'app', instance, ...(tenant !== '' && { tenant }) },
  samples: [
    [BORN_MS + 20_000, values[0]],
    [BORN_MS + 35_000, values[1]],
  ],
});
const secondsOf = (ms: number): [string, string] => [String(ms / 1000), String(ms / 1000)];
const fresh = [
  inTwoScrapes('fresh_total', 'young:1', 'young', ['7', '12']),
  inTwoScrapes('fresh_created', 'young:1', 'young', secondsOf(BORN_MS + 4000)),
  inTwoScrapes('fresh_total', 'other:1', 'other', ['10', '15']),
  inTwoScrapes('process_start_time_seconds', 'other:1', '', secondsOf(BORN_MS + 4000)),
  inTwoScrapes('fresh_total', 'old:1', 'old', ['100000', '100005']),
  inTwoScrapes('process_start_time_seconds', 'old:1', '', secondsOf(story.startMs - 86_400_000)),
  ...['young:1', 'other:1', 'old:1'].map((instance) => inTwoScrapes('up', instance, '', ['1', '1'])),
];

let prometheus: RealPrometheus | undefined;
const around = surroundingsOfEachTest(() => startQueryServer(prometheus?.url));
beforeAll(async () => {
  if (hasPrometheus) prometheus = await startPrometheus([...story.history, ...fresh]);
});
afterAll(async () => {
  await prometheus?.close();
});

const config = (more: string) =>
  configOf(`url: "${around.source.url}"\n${more}`, around.folder.path, around.server.url);
const stored = () => [...around.server.bodies.values()].map((body) => JSON.parse(body) as Collected);
const iso = (ms: number) => new Date(ms).toISOString();
const deadLetters = async (text: string) => {
  const collect = startCollect(text, ['--dead-letters']);
  expect(await collect.ended).toBe(0);
  return collect.printed.map((line) => (JSON.parse(line) as { reason: string }).reason);
};
const GPUS = 'queries: [{ query: { name: gpus, promql: "sum by (tenant) (avg_over_time(gpus[$interval]))" } }]';
const USED = 'counters: [{ counter: { name: used, selector: used_seconds_total, by: [tenant] } }]';
const START = `start: ${iso(story.startMs)}\nwait_for_samples: 0s`;

describe.skipIf(!hasPrometheus)(`a real Prometheus (${HOW_TO_GET_IT})`, () => {
  test('what was not scraped is said as one gap, and is not zero; what comes after it is taken', async () => {
    const text = config(`${START}\n${GPUS}`);
    const collect = await collectOnce(text);
    // 20 windows, of which three lie in the hole; after the story there is nothing more, as long as nobody scrapes.
    expect(stored()).toHaveLength(17);
    const hole = `${iso(story.startMs + 10 * MINUTE_MS)} to ${iso(story.startMs + 13 * MINUTE_MS)}`;
    expect(await deadLetters(text)).toEqual([
      `the windows from ${hole} are not known: nothing was scraped in them, or the server does not keep them any more`,
    ]);
    expect(collect.logged).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'windows will never be known', query: 'gpus' }),
    );
    // The ledger has it, too.
    const dropped = around.server.requests.map(({ headers }) => headers['metering-dropped']);
    expect(dropped.at(-1)).toBe('unmapped=1');
    // Nothing is asked for again.
    const asked = around.source.asked.length;
    await collectOnce(text);
    expect(around.source.asked.length - asked).toBeLessThanOrEqual(4);
    expect(stored()).toHaveLength(17);
  });

  test('a counter goes on where it was, over restarts, another schedule, and what is older than max_age', async () => {
    const every = (schedule: string, age: string) =>
      config(`schedule: "${schedule}"\nmax_age: ${age}\n${START}\n${USED}`);
    const ageMs = Date.now() - story.startMs;
    // Up to the 15th minute only: the server's clock stands there.
    around.source.aheadMs = story.startMs + 15 * MINUTE_MS + 45_000 - Date.now();
    await collectOnce(every('0 * * * * *', '168h'));
    expect(Math.max(...stored().map(({ time }) => Date.parse(time)))).toBe(story.startMs + 14 * MINUTE_MS);
    // Then an hourly schedule of odd windows, whose oldest are beyond what may be asked for.
    around.source.aheadMs = 0;
    const ageOf18 = `${Math.floor((ageMs - 18 * MINUTE_MS) / 1000)}s`;
    const jumped = await collectOnce(every('@every 30s', ageOf18));
    expect(jumped.logged.map(({ why }) => why)).toContain('they are older than max_age');
    await collectOnce(every('0 * * * * *', '168h'));
    // By hand, from the history: not a tenth is missing or too much.
    expect(sumsOf(stored(), 'used')).toEqual(story.seen);
  });

  test('one that fails holds up no other, and is caught up when it can be asked', async () => {
    const text = config(`${START}\n${GPUS}\n${USED}`);
    around.source.answer = ({ query }, response) => {
      if (!query.startsWith('sum')) return undefined;
      response.writeHead(422).end('{"status":"error","errorType":"execution","error":"no"}');
      return 'done';
    };
    await collectOnce(text);
    expect(sumsOf(stored(), 'used')).toEqual(story.seen);
    expect(stored().some(({ type }) => type === 'gpus')).toBe(false);
    around.source.answer = () => undefined;
    await collectOnce(text);
    expect(stored().filter(({ type }) => type === 'gpus')).toHaveLength(17);
  });

  test('samples that are too many for one answer are asked for in shorter spans', async () => {
    let refused = 0;
    around.source.answer = ({ query }, response) => {
      const [, seconds = '0'] = /^used_seconds_total\[(\d+)s\]$/.exec(query) ?? [];
      if (Number(seconds) <= 20) return undefined;
      refused++;
      response
        .writeHead(422)
        .end('{"status":"error","error":"query processing would load too many samples into memory"}');
      return 'done';
    };
    await collectOnce(config(`${START}\n${USED}`));
    expect(refused).toBeGreaterThan(20);
    expect(sumsOf(stored(), 'used')).toEqual(story.seen);
  });

  test('a part of the past is read once more, and the cursor stays where it was', async () => {
    const text = config(`${START}\n${GPUS}\n${USED}`);
    await collectOnce(text);
    const first = new Map(around.server.bodies);
    around.server.bodies.clear();
    const span = `${iso(story.startMs + 2 * MINUTE_MS)}..${iso(story.startMs + 8 * MINUTE_MS)}`;
    const backfill = startCollect(text, ['--backfill', span]);
    expect(await backfill.ended, backfill.said.join()).toBe(0);
    // Six windows of each, with the ids and figures that they had; b, which is new in them, counts as it did.
    expect(stored().filter(({ type }) => type === 'gpus')).toHaveLength(6);
    expect(stored().filter(({ type }) => type === 'used').length).toBeGreaterThan(6);
    for (const [id, body] of around.server.bodies) expect(body).toBe(first.get(id));
    around.server.bodies.clear();
    await collectOnce(text);
    expect(stored()).toEqual([]);
  });

  test('first values count for known targets, and for new ones when the counter says so or is trusted to', async () => {
    const firsts = async (more: string) => {
      around.server.bodies.clear();
      const own = tempFolder();
      const selector = `counters: [{ counter: { name: fresh, selector: fresh_total, by: [tenant]${more} } }]`;
      await collectOnce(configOf(`url: "${around.source.url}"\n${START}\n${selector}`, own.path, around.server.url));
      own.remove();
      return sumsOf(stored());
    };
    // Each rises by 5 after its first value: young has 7 and a _created, other is new as its process is, old is not.
    expect(await firsts('')).toEqual({ young: '12', other: '5', old: '5' });
    expect(await firsts(', new_targets: count')).toEqual({ young: '12', other: '15', old: '5' });
  });
});

test('a window is asked for when it is over by both clocks', async () => {
  around.source.answer = (_question, response) => {
    response.end(vector([{ metric: { tenant: 'a' }, value: [1, '1'] }]));
    return 'done';
  };
  around.source.aheadMs = -3_600_000;
  const start = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 70 * MINUTE_MS;
  const collect = await collectOnce(config(`start: ${iso(start)}\n${GPUS}`));
  expect(collect.logged).toContainEqual(
    expect.objectContaining({ msg: 'the clock differs from the server’s', level: 'warn' }),
  );
  // Ten minutes less the delay of half a minute.
  expect(stored().length).toBeGreaterThanOrEqual(9);
  expect(stored().length).toBeLessThanOrEqual(10);
});

test('a token in a file is read anew, and no secret comes into the log', async () => {
  const file = join(around.folder.path, 'token');
  const text = config(`coverage: ""\nbearer_token_file: ${file}\n${GPUS}`);
  around.source.answer = ({ authorization }, response) => {
    if (authorization === 'Bearer fresh') return undefined;
    response.writeHead(401).end(JSON.stringify({ status: 'error', error: `what is ${authorization}?` }));
    return 'done';
  };
  writeFileSync(file, 'stale-secret\n');
  const refused = await collectOnce(text);
  expect(JSON.stringify(refused.logged)).toContain('status 401: what is [secret]?');
  expect(JSON.stringify(refused.logged)).not.toContain('stale-secret');
  writeFileSync(file, 'fresh\n');
  const taken = await collectOnce(text);
  expect(taken.logged.filter(({ msg }) => msg === 'a window cannot be read, and is tried again')).toEqual([]);
});
