import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createProtobufProtocol,
  type PluginServer,
  type PluginServerProtocol,
  startPluginServer,
} from '../../gateway-player/index.ts';
import { eventFrame, textFrame } from './support/frames.ts';
import { type TemporaryFolder, temporaryFolder, writePlugin } from './support/probe-plugin.ts';
import { openRawConnection, type RawConnection } from './support/raw-connection.ts';

/** Tells which process got what. A file beside it makes every second start of an instance fail. */
const WHO = `
exports.Name = 'who';
exports.Plugin = class {
  constructor(config) {
    if (config.fail && process.pid % 2 === config.fail % 2) throw new Error('not here');
    this.say = config.say;
    if (config.tells) process.stderr.write('<' + process.pid + ' has ' + config.say + '>\\n');
  }
  async log(kong) { process.stderr.write('<' + [process.pid, this.say, await kong.log.serialize()].join(' ') + '>\\n'); }
};
exports.Prefetch = { log: ['kong.log.serialize'] };
exports.otherGone = () => process.stderr.write('<' + process.pid + ' other gone>\\n');`;

let folder: TemporaryFolder;
let server: PluginServer;
let kong: PluginServerProtocol;

beforeEach(async () => {
  folder = await temporaryFolder();
  server = await startPluginServer({ pluginDir: await writePlugin(folder, 'who', WHO), workers: 2 });
  kong = createProtobufProtocol(server.socketPath, 8);
});

afterEach(async () => {
  kong.close();
  await server.kill();
  await folder.remove();
});

/** The processes that serve. */
function workers(): number[] {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8');
  return children
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number);
}

interface Line {
  readonly pid: number;
  readonly text: string;
}

const linesWritten = (): Line[] =>
  [...server.stderr().matchAll(/<(\d+) (.*)>/g)].map(([, pid, text]) => ({ pid: Number(pid), text: text ?? '' }));

/** Events over eight connections at a time, so that every worker has some of them. */
async function play(instance: number, entries: readonly string[]): Promise<void> {
  await Promise.all(entries.map((entry) => kong.handleEvent(instance, 'log', () => entry)));
}

const names = (prefix: string): string[] => Array.from({ length: 40 }, (_, number) => `${prefix}-${number}`);

describe('two workers', () => {
  test('share the connections, and each knows what was started on the other', async () => {
    const first = await kong.startInstance('who', { say: 'first' });
    const second = await kong.startInstance('who', { say: 'second' });
    expect(second).toBe(first + 1);
    await play(first, names('a'));
    await play(second, names('b'));
    await expect.poll(() => linesWritten().length).toBe(80);
    const expected = [...names('a').map((name) => `first ${name}`), ...names('b').map((name) => `second ${name}`)];
    expect(
      linesWritten()
        .map(({ text }) => text)
        .sort(),
    ).toEqual(expected.sort());
    expect(new Set(linesWritten().map(({ pid }) => pid))).toEqual(new Set(workers()));
  });

  test('have equal numbers of connections', async () => {
    const instance = await kong.startInstance('who', { say: 'x' });
    const connections = await Promise.all(Array.from({ length: 20 }, () => openRawConnection(server.socketPath)));
    for (const [index, connection] of connections.entries()) {
      connection.write(Buffer.concat([eventFrame(index, instance), textFrame(String(index))]));
    }
    await expect.poll(() => linesWritten().length).toBe(20);
    const [one, other] = workers();
    const share = (pid: number | undefined): number => linesWritten().filter((line) => line.pid === pid).length;
    expect([share(one), share(other)]).toEqual([10, 10]);
    for (const connection of connections) connection.close();
  });

  test('are waited for, all of them, when an instance is started or closed', async () => {
    const instance = await kong.startInstance('who', { say: 'x' });
    const kept = await kong.startInstance('who', { say: 'kept' });
    const lines = Array.from({ length: 6 }, () => createProtobufProtocol(server.socketPath, 1));
    await Promise.all(lines.map((line, index) => line.handleEvent(instance, 'log', () => `line-${index}`)));
    await expect.poll(() => linesWritten().length).toBe(6);
    const [other = 0, serving = 0] = workers();
    const served = lines.filter((_, index) =>
      linesWritten().some(({ pid, text }) => pid === serving && text === `x line-${index}`),
    );
    const [starter, closer, busy] = served;
    process.kill(other, 'SIGSTOP');
    const answered: string[] = [];
    const started = starter?.startInstance('who', { say: 'y' }).then(() => answered.push('start'));
    const closed = closer?.closeInstance(instance).then(() => answered.push('close'));
    // Who did not wait would have answered by the time that these are.
    for (let round = 0; round < 200; round++) await busy?.handleEvent(kept, 'log', () => `round-${round}`);
    expect(answered).toEqual([]);
    process.kill(other, 'SIGCONT');
    await Promise.all([started, closed]);
    expect(answered.sort()).toEqual(['close', 'start']);
    for (const line of lines) line.close();
  });

  test('know of an instance before Kong does, and forget it before Kong does', async () => {
    for (let round = 0; round < 50; round++) {
      const instance = await kong.startInstance('who', { say: 'x' });
      await play(instance, names(`round-${round}`).slice(0, 8));
      await kong.closeInstance(instance);
      const refused = Array.from({ length: 8 }, () => kong.handleEvent(instance, 'log', () => 'lost'));
      const reason = new Error(`no plugin instance #${instance}`);
      expect(await Promise.allSettled(refused)).toEqual(refused.map(() => ({ status: 'rejected', reason })));
    }
    await expect.poll(() => linesWritten().length).toBe(400);
    expect(server.stderr()).not.toContain('lost');
  });

  test('start an instance together or not at all', async () => {
    const [one = 0, other = 0] = workers();
    const isFailing = { say: 'x', fail: one };
    // With an odd and an even process one of them fails, otherwise both.
    await expect(kong.startInstance('who', isFailing)).rejects.toThrow('it closed the connection');
    expect(server.stderr()).toContain('an instance could not be started');
    const next = await kong.startInstance('who', { say: 'fine' });
    for (let back = 1; back < 3; back++) {
      await expect(kong.handleEvent(next - back, 'log', () => 'lost')).rejects.toThrow('no plugin instance');
    }
    expect(other).not.toBe(one);
  });
});

describe('a worker that is killed', () => {
  test('is replaced by one that knows all instances, and the other goes on', async () => {
    const instances = await Promise.all(['a', 'b', 'c'].map((say) => kong.startInstance('who', { say })));
    const closed = await kong.startInstance('who', { say: 'closed' });
    await kong.closeInstance(closed);
    const before = workers();
    const [victim = 0, survivor = 0] = before;
    process.kill(victim, 'SIGKILL');
    await expect.poll(workers).not.toContain(victim);

    await expect.poll(linesWritten).toEqual([{ pid: survivor, text: 'other gone' }]);
    // What Kong has with the other goes on, and new connections are served.
    const [a = 0, b = 0, c = 0] = instances;
    const meanwhile = createProtobufProtocol(server.socketPath, 4);
    await Promise.all(names('meanwhile').map((entry) => meanwhile.handleEvent(a, 'log', () => entry)));
    await expect.poll(() => linesWritten().length).toBe(41);
    expect(linesWritten().map(({ pid }) => pid)).not.toContain(victim);

    await expect.poll(() => workers().length).toBe(2);
    const replacement = workers().find((pid) => !before.includes(pid)) ?? 0;
    expect(workers()).toContain(survivor);
    // It gets connections as soon as it is ready: it has the fewest.
    const later = createProtobufProtocol(server.socketPath, 8);
    await expect
      .poll(async () => {
        const connection = await openRawConnection(server.socketPath);
        connection.write(Buffer.concat([eventFrame(1, b), textFrame('probe')]));
        await connection.received(4);
        connection.close();
        return linesWritten().some(({ pid }) => pid === replacement);
      })
      .toBe(true);
    await Promise.all(names('later').map((entry) => later.handleEvent(c, 'log', () => entry)));
    await expect.poll(() => linesWritten().filter(({ text }) => text.startsWith('c later')).length).toBe(40);
    await expect(later.handleEvent(closed, 'log', () => 'lost')).rejects.toThrow(`no plugin instance #${closed}`);
    expect(server.stderr()).toContain('a worker ended and is replaced');
    later.close();
    meanwhile.close();
  });

  test('takes only its own connections with it, and when all are killed the next ones wait for a new worker', async () => {
    const instance = await kong.startInstance('who', { say: 'x' });
    const killed = workers();
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await expect.poll(() => workers().filter((pid) => killed.includes(pid))).toEqual([]);
    const connection = await openRawConnection(server.socketPath);
    connection.write(Buffer.concat([eventFrame(1, instance), textFrame('waited')]));
    await connection.received(4);
    await expect.poll(() => linesWritten().map(({ text }) => text)).toEqual(['x waited']);
    connection.close();
  });

  describe('with another one, which got its connections and died before they arrived', () => {
    /** Kills the worker that serves the connection of this event, and the one that it is handed to. */
    async function killBoth(entry: string, meanwhile: (serving: number) => Promise<void>): Promise<void> {
      const find = (): Line | undefined => linesWritten().find(({ text }) => text === `x ${entry}`);
      await expect.poll(find).toBeDefined();
      const serving = find()?.pid ?? 0;
      const other = workers().find((pid) => pid !== serving) ?? 0;
      process.kill(other, 'SIGSTOP');
      await meanwhile(serving);
      process.kill(serving, 'SIGKILL');
      await expect.poll(workers).not.toContain(serving);
      await expect.poll(() => workers().length).toBe(2);
      process.kill(other, 'SIGKILL');
    }

    test('has the instance started that Kong waits for: it would give up the event that needs it', async () => {
      const instance = await kong.startInstance('who', { say: 'x' });
      const line = createProtobufProtocol(server.socketPath, 1);
      await line.handleEvent(instance, 'log', () => 'before');
      let started: Promise<number> | undefined;
      await killBoth('before', async (serving) => {
        started = line.startInstance('who', { say: 'y', tells: true });
        // By then the first process knows of it, and waits for the other one.
        await expect.poll(linesWritten).toContainEqual({ pid: serving, text: 'has y' });
      });
      await line.handleEvent((await started) ?? 0, 'log', () => 'after');
      await expect.poll(() => linesWritten().map(({ text }) => text)).toContain('y after');
      line.close();
    });

    test('has the connection ended over which an event was under way: Kong would wait for a minute, and give it up', async () => {
      const instance = await kong.startInstance('who', { say: 'x' });
      const connection = await openRawConnection(server.socketPath);
      connection.write(Buffer.concat([eventFrame(1, instance), textFrame('before')]));
      await connection.received(4);
      await killBoth('before', async () => {
        connection.write(eventFrame(2, instance));
        await connection.received(6);
      });
      await connection.closed;
    });
  });

  test('leaves no connection waiting that was handed to it while it died', async () => {
    const instance = await kong.startInstance('who', { say: 'x' });
    for (let round = 0; round < 3; round++) {
      await expect.poll(() => workers().length).toBe(2);
      process.kill(workers()[round % 2] ?? 0, 'SIGKILL');
      const answered = Array.from({ length: 20 }, async () => {
        const connection = await openRawConnection(server.socketPath);
        connection.write(Buffer.concat([eventFrame(1, instance), textFrame('entry')]));
        await connection.received(4);
        connection.close();
      });
      // Served or closed; either way Kong knows.
      await Promise.allSettled(answered);
    }
  });

  test('leaves new connections to its replacement until both have as many', async () => {
    const instance = await kong.startInstance('who', { say: 'x' });
    const pids: number[] = [];

    /** Opens a connection that stays; resolves when it is known who serves it. */
    async function open(): Promise<RawConnection> {
      const entry = `connection-${pids.length}`;
      const connection = await openRawConnection(server.socketPath);
      connection.write(Buffer.concat([eventFrame(1, instance), textFrame(entry)]));
      const isServed = await connection.received(4).then(Boolean, () => false);
      // Handed over while its worker was dying: Kong connects again, too.
      if (!isServed) return open();
      const find = (): Line | undefined => linesWritten().find(({ text }) => text === `x ${entry}`);
      await expect.poll(find).toBeDefined();
      pids.push(find()?.pid ?? 0);
      return connection;
    }

    const before = workers();
    const connections: RawConnection[] = [];
    while (connections.length < 11) connections.push(await open());
    const survivor = pids[0] === before[0] ? before[0] : before[1];
    const victim = before.find((pid) => pid !== survivor) ?? 0;
    process.kill(victim, 'SIGKILL');
    // Until the replacement is ready, all of them come to the survivor.
    do connections.push(await open());
    while (pids.at(-1) === survivor);
    const difference = pids.filter((pid) => pid === survivor).length - 1;
    const first = pids.length;
    for (let count = 1; count < difference; count++) connections.push(await open());
    expect(new Set(pids.slice(first))).toEqual(new Set([pids[first - 1]]));
    for (const connection of connections) connection.close();
  });
});
