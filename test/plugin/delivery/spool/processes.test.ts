import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../../support/plugin/manual-clock.ts';
import { startPushing } from '../../../support/plugin/pushing.ts';
import { createRig, ids, pushAll, serve, settingsFor, until } from '../../../support/plugin/rig.ts';
import { filesIn, idsOnDisk, spoolSettings, tempFolder } from '../../../support/plugin/spool.ts';
import { endAsKongDoes } from '../../../support/process-cpu.ts';

const soon = { maxBatchSize: 100, maxCoalescingDelayMs: 10, initialRetryDelayMs: 5, maxRetryDelayMs: 20 };
const down = () => ({ status: 503 }) as const;
const LONG = process.env['LONG'] === '1';
/** The clock that is moved by hand runs faster than the requests. */
const NEVER_MS = 1e9;
const EVERYTHING = { status: 202 } as const;

/** "a1" … */
const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);

describe('a process that is killed', () => {
  test('loses what it took within the window, at most: an event is written when the window is over', async () => {
    const dir = tempFolder();
    const clock = createManualClock();
    const server = await serve(down);
    const rig = createRig(server.url, { clock, spool: spoolSettings(dir, { syncMs: 20 }), queue: soon });
    pushAll(rig.delivery, ['first']);
    clock.advance(19);
    pushAll(rig.delivery, ['second']);
    expect(rig.deliveries.snapshot().syncs.count).toBe(0);
    expect(filesIn(dir).join()).not.toContain('.events');
    clock.advance(1);
    await until(() => expect(idsOnDisk(dir)).toEqual(['first', 'second']));
  });

  test.each(Array.from({ length: LONG ? 40 : 2 }, (_, round) => round))(
    'by SIGKILL, at any moment: what was confirmed is sent by the next one (round %i)',
    async () => {
      const dir = tempFolder();
      const server = await serve(down);
      const settings = settingsFor(server.url, { queue: { ...soon, maxEntries: 300 } });
      const process = startPushing({ settings, spool: spoolSettings(dir), node: 'gw-1', prefix: 'k', count: 100_000 });
      const moment = 100 + Math.random() * 2000;
      await until(() => expect(process.spooled()).toBeGreaterThan(moment));
      process.kill('SIGKILL');
      await process.ended;
      server.respond = () => EVERYTHING;
      const next = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
      await until(() => expect(server.accepted.length).toBeGreaterThanOrEqual(process.spooled()));
      await until(() => expect(next.deliveries.counters()).toMatchObject({ sent: server.accepted.length, waiting: 0 }));
      // Each of them once, in order, without a gap, and nothing that was not pushed. One more may have been pushed than said.
      expect(server.accepted).toEqual(numbered('k', server.accepted.length));
      expect(server.accepted.length).toBeLessThanOrEqual(process.pushed() + 1);
      await until(() => expect(filesIn(dir).join()).not.toContain('gw-1'));
    },
  );

  test.each(Array.from({ length: LONG ? 20 : 1 }, (_, round) => round))(
    'by SIGTERM and, 46 ms later, SIGKILL loses nothing at all (round %i)',
    async () => {
      const dir = tempFolder();
      // Takes connections and answers nothing: the process cannot end before it is killed.
      const server = await serve(() => new Promise(() => {}));
      const spool = spoolSettings(dir, { syncMs: 10_000 });
      const settings = settingsFor(server.url, { queue: { ...soon, maxEntries: 300 } });
      const process = startPushing({ settings, spool, node: 'gw-1', prefix: 't', count: 1_000_000 });
      await until(() => expect(process.pushed()).toBeGreaterThan(500 + Math.random() * 1000));
      expect(process.spooled()).toBe(0);
      await endAsKongDoes(process.pid, process.ended, 46);
      server.respond = () => EVERYTHING;
      createRig(server.url, { spool: spoolSettings(dir), queue: soon });
      await until(() => expect(server.accepted.length).toBeGreaterThanOrEqual(process.pushed()));
      expect(server.accepted).toEqual(numbered('t', server.accepted.length));
    },
  );
});

describe('adoption', () => {
  /** A folder that a killed process left behind. */
  async function leaveBehind(dir: string, url: string, prefix: string, count = 50, token = 'kpat_5ecretT0ken') {
    const settings = settingsFor(url, { token, queue: soon });
    const process = startPushing({ settings, spool: spoolSettings(dir), node: `node-${prefix}`, prefix, count });
    await until(() => expect(process.spooled()).toBe(count));
    process.kill('SIGKILL');
    await process.ended;
  }

  test('leaves the living alone, and takes over when they have died', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    const settings = settingsFor(server.url, { queue: soon });
    const living = startPushing({ settings, spool: spoolSettings(dir), node: 'old', prefix: 'o', count: 30 });
    await until(() => expect(living.spooled()).toBe(30));
    // A reload: the new process is there while the old one still works.
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon, node: 'new' });
    pushAll(rig.delivery, ids(10));
    await until(() => expect(rig.deliveries.snapshot().spooled).toBe(10));
    expect(rig.deliveries.counters().adopted).toBe(0);
    const folders = () => readdirSync(join(dir, readdirSync(dir)[0] ?? '')).map((name) => name.split('~')[0]);
    expect(folders().toSorted()).toEqual(['new', 'old']);
    server.respond = () => EVERYTHING;
    living.kill('SIGKILL');
    await living.ended;
    await until(() => expect(new Set(server.accepted)).toEqual(new Set([...ids(10), ...numbered('o', 30)])));
    await until(() => expect(rig.deliveries.counters().waiting).toBe(0));
    await until(() => expect(folders()).toEqual(['new']));
  });

  test('keeps the name and the numbers of the dead process, and never mixes processes in a batch', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    await leaveBehind(dir, server.url, 'a');
    await leaveBehind(dir, server.url, 'b', 20);
    server.requests.length = 0;
    server.respond = () => EVERYTHING;
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon, node: 'heir' });
    pushAll(rig.delivery, ids(5));
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ taken: 5, adopted: 70, sent: 75 }));
    const processes = new Map<string, { node: string; numbers: number[]; ids: string[]; taken: string }>();
    for (const { headers, ids: sent } of server.requests) {
      const process = String(headers['metering-process']);
      const node = String(headers['metering-node']);
      const seen = processes.get(process) ?? { node, numbers: [], ids: [], taken: '' };
      expect(seen.node).toBe(node);
      for (const range of String(headers['metering-sequence']).split(',')) {
        const [first = 0, last = first] = range.split('-').map(Number);
        for (let number = first; number <= last; number++) seen.numbers.push(number);
      }
      seen.ids.push(...sent);
      processes.set(process, { ...seen, taken: String(headers['metering-taken']) });
    }
    expect([...processes.values()].toSorted((x, y) => (x.node < y.node ? -1 : 1))).toEqual([
      { node: 'heir', numbers: [1, 2, 3, 4, 5], ids: ids(5), taken: '5' },
      { node: 'node-a', numbers: numbered('', 50).map(Number), ids: numbered('a', 50), taken: '50' },
      { node: 'node-b', numbers: numbered('', 20).map(Number), ids: numbered('b', 20), taken: '20' },
    ]);
  });

  test('of one folder happens once, however many processes want it', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    for (const prefix of ['a', 'b', 'c', 'd']) await leaveBehind(dir, server.url, prefix, 25);
    server.respond = () => EVERYTHING;
    const rigs = Array.from({ length: 4 }, (_, index) =>
      createRig(server.url, { spool: spoolSettings(dir), queue: soon, node: `heir-${index}` }),
    );
    await until(() => expect(server.accepted).toHaveLength(100));
    await until(() => {
      const adopted = rigs.map(({ deliveries }) => deliveries.counters().adopted);
      expect(adopted.reduce((sum, count) => sum + count)).toBe(100);
    });
    expect(new Set(server.accepted).size).toBe(100);
    await Promise.all(rigs.map(({ deliveries }) => deliveries.stop(1000)));
    expect(filesIn(dir)).toEqual([]);
  });

  test('goes on where an heir died that had adopted itself', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    await leaveBehind(dir, server.url, 'a');
    // Each takes over from the one before, and dies with it.
    for (const prefix of ['b', 'c']) {
      const settings = settingsFor(server.url, { queue: soon });
      const process = startPushing({ settings, spool: spoolSettings(dir), node: `node-${prefix}`, prefix, count: 10 });
      await until(() => expect(process.spooled()).toBe(10));
      await until(() => expect(process.stderr()).toContain('taking over'));
      process.kill('SIGKILL');
      await process.ended;
    }
    server.respond = () => EVERYTHING;
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ adopted: 70, sent: 70, waiting: 0 }));
    expect(server.accepted.toSorted()).toEqual(
      [...numbered('a', 50), ...numbered('b', 10), ...numbered('c', 10)].toSorted(),
    );
    await rig.deliveries.stop(1000);
    expect(filesIn(dir)).toEqual([]);
  });

  test('takes nothing of another endpoint', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    await leaveBehind(dir, `${server.url}/other`, 'a');
    server.respond = () => EVERYTHING;
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    pushAll(rig.delivery, ids(5));
    await until(() => expect(rig.deliveries.counters().sent).toBe(5));
    expect(idsOnDisk(dir)).toEqual(expect.arrayContaining(numbered('a', 50)));
    expect(rig.deliveries.counters().adopted).toBe(0);
    // It counts towards the bound all the same.
    await until(() => expect(rig.deliveries.snapshot().spool?.bytes).toBeGreaterThan(50 * 200));
  });

  test('works in folders with paths that no socket may have', async () => {
    const dir = join(tempFolder(), 'a-folder-with-a-long-name'.repeat(5));
    const server = await serve(down);
    await leaveBehind(dir, server.url, 'a');
    server.respond = () => EVERYTHING;
    const rig = createRig(server.url, { spool: spoolSettings(dir), queue: soon });
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ adopted: 50, sent: 50 }));
  });

  test('asks no process of another machine, but waits until it has been silent for two minutes', async () => {
    const dir = tempFolder();
    const clock = createManualClock();
    const server = await serve(down);
    await leaveBehind(dir, server.url, 'a');
    const machine = filesIn(dir).find((path) => path.endsWith('/machine')) ?? '';
    writeFileSync(join(dir, machine), 'another-machine\n');
    server.respond = () => EVERYTHING;
    const rig = createRig(server.url, { clock, spool: spoolSettings(dir), queue: soon });
    const rounds = async (count: number, beforeEach = () => {}) => {
      for (let round = 0; round < count; round++) {
        beforeEach();
        clock.advance(5000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    // Its owner lives and says so.
    let beats = 0;
    await rounds(30, () => writeFileSync(join(dir, machine), `another-machine\n${' '.repeat(++beats)}`));
    expect(rig.deliveries.counters().adopted).toBe(0);
    await rounds(20);
    expect(rig.deliveries.counters().adopted).toBe(0);
    await until(async () => {
      await rounds(1);
      expect(rig.deliveries.counters()).toMatchObject({ adopted: 50, sent: 50 });
    });
  });

  test('clears away what a process left that was killed while it made its folder', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    await leaveBehind(dir, server.url, 'a');
    const [key = ''] = readdirSync(dir);
    const unfinished = join(dir, key, '.new-node-x~0aaaaaaaa-bbbb~123');
    mkdirSync(unfinished);
    writeFileSync(join(unfinished, 'machine'), 'x\n');
    const clock = createManualClock(Date.now() + 60_000);
    createRig(server.url, { clock, timeoutMs: NEVER_MS, spool: spoolSettings(dir), queue: soon });
    await until(() => {
      clock.advance(1000);
      expect(filesIn(dir).join()).not.toContain('.new-');
    });
  });

  describe('and tokens', () => {
    test('a token that was changed takes over, after a minute in which its own might have come', async () => {
      const dir = tempFolder();
      const clock = createManualClock();
      const server = await serve(down);
      await leaveBehind(dir, server.url, 'a', 50, 'the-old-token');
      server.respond = () => EVERYTHING;
      const rig = createRig(server.url, {
        clock,
        timeoutMs: NEVER_MS,
        token: 'the-new-token',
        spool: spoolSettings(dir),
        queue: soon,
      });
      for (let round = 0; round < 11; round++) {
        clock.advance(5000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(rig.deliveries.counters().adopted).toBe(0);
      await until(async () => {
        clock.advance(5000);
        expect(rig.deliveries.counters()).toMatchObject({ adopted: 50, sent: 50 });
      });
      expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer the-new-token');
    });

    test('with two tenants at one endpoint, events go to the one whose they are, or wait', async () => {
      const dir = tempFolder();
      const clock = createManualClock();
      const server = await serve(down);
      await leaveBehind(dir, server.url, 'a', 50, 'token-of-a');
      await leaveBehind(dir, server.url, 'c', 10, 'token-of-c');
      server.requests.length = 0;
      server.respond = () => EVERYTHING;
      const rig = createRig(server.url, {
        clock,
        timeoutMs: NEVER_MS,
        token: 'token-of-b',
        spool: spoolSettings(dir),
        queue: soon,
      });
      rig.deliveries.open(settingsFor(server.url, { timeoutMs: NEVER_MS, token: 'token-of-a', queue: soon }));
      for (let round = 0; round < 30; round++) {
        clock.advance(5000);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await until(() => expect(server.accepted).toEqual(numbered('a', 50)));
      expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(
        new Set(['Bearer token-of-a']),
      );
      expect(
        rig.linesOf(
          'events wait for a Delivery with their API token: several tokens are in use, and none of them is theirs',
        ),
      ).not.toEqual([]);
      rig.deliveries.open(settingsFor(server.url, { timeoutMs: NEVER_MS, token: 'token-of-c', queue: soon }));
      await until(() => {
        clock.advance(100);
        expect(server.accepted.slice(50)).toEqual(numbered('c', 10));
      });
      expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer token-of-c');
    });
  });

  test('of a copied folder, without an owner at all', async () => {
    const dir = tempFolder();
    const server = await serve(down);
    const settings = settingsFor(server.url, { queue: soon });
    const living = startPushing({ settings, spool: spoolSettings(dir), node: 'gw-1', prefix: 'a', count: 20 });
    await until(() => expect(living.spooled()).toBe(20));
    const restored = tempFolder();
    cpSync(dir, restored, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    server.respond = () => EVERYTHING;
    living.kill('SIGKILL');
    const rig = createRig(server.url, { spool: spoolSettings(restored), queue: soon });
    await until(() => expect(rig.deliveries.counters()).toMatchObject({ adopted: 20, sent: 20 }));
  });
});
