import { describe, expect, test } from 'vitest';
import {
  type Account,
  afterTruncation,
  openAccount,
  reportOf,
  type Tally,
  takeReading,
} from '../../../../plugin/delivery/served/account.ts';
import { fc } from '../../../support/property.ts';

interface Server {
  readonly name: string;
  readonly outcomes: Record<string, number>;
  sequence: number;
}

/** A gateway with its plugin servers, all that happens to them, and somebody who reads. */
function createWorld() {
  let account: Account = openAccount('a-1', 'boot-1');
  let boot = 'boot-1';
  let log = { file: 'f-1', size: 0 };
  let isLogNew = true;
  let lastId = 0;
  let servers: Server[] = [];
  let files = new Map<string, Tally>();
  /** Requests that are over, and whose entries have not arrived. */
  let onTheWay = 0;
  const truth = { served: 0, lost: 0, outcomes: {} as Record<string, number> };

  const save = (server: Server) =>
    files.set(server.name, { sequence: ++server.sequence, outcomes: { ...server.outcomes } });
  const world = {
    truth,
    get report() {
      return reportOf(account);
    },
    get account() {
      return account;
    },
    get fileNames() {
      return [...files.keys()];
    },
    startServer() {
      servers.push({ name: `p-${++lastId}`, outcomes: {}, sequence: 0 });
    },
    /** SIGKILL: its file stays for a while. */
    killServer() {
      servers.shift();
    },
    removeFile(name: string) {
      files.delete(name);
    },
    wipe() {
      files = new Map();
      // Each makes its own anew.
      for (const server of servers) save(server);
    },
    serve(count = 1) {
      log = { ...log, size: log.size + count };
      truth.served += count;
      onTheWay += count;
    },
    arrive(count = onTheWay, outcome = 'metered') {
      const server = servers.at(-1);
      const arriving = Math.min(count, onTheWay);
      if (server === undefined) return world.lose(arriving);
      onTheWay -= arriving;
      for (const sums of [server.outcomes, truth.outcomes]) sums[outcome] = (sums[outcome] ?? 0) + arriving;
      save(server);
    },
    lose(count = onTheWay) {
      const losing = Math.min(count, onTheWay);
      onTheWay -= losing;
      truth.lost += losing;
    },
    /** @param between what happens while the log is read */
    read(between: () => void = () => undefined) {
      const before = new Map(files);
      const reading = { boot, log, isLogNew, before };
      between();
      // As it comes back from the disk.
      account = takeReading(JSON.parse(JSON.stringify(account)) as Account, { ...reading, after: new Map(files) });
    },
    /** All that is on its way arrives, and is looked at. */
    settle() {
      world.arrive();
      for (let count = 0; count < 3; count++) world.read();
    },
    /** By the one who reads, who has just read. */
    cutOff(isKilled = false) {
      const { size } = log;
      log = { ...log, size: 0 };
      if (!isKilled) account = afterTruncation(account, size);
    },
    /** Nobody knows anything of before. */
    openAccount() {
      account = openAccount('a-2', boot);
      [files, isLogNew] = [new Map(), false];
    },
    /** @param lost what of the log had not come to the disk */
    losePower(lost = 0) {
      [boot, servers, onTheWay] = ['boot-2', [], 0];
      log = { ...log, size: log.size - lost };
    },
  };
  return world;
}

function withServer() {
  const world = createWorld();
  world.startServer();
  world.read();
  return world;
}

test('what has arrived and what is on its way is no loss; what has not come after three readings is', () => {
  const world = withServer();
  world.serve(10);
  world.arrive(7);
  world.read();
  expect(world.report).toMatchObject({ served: 10, outcomes: { metered: 7 }, unexplained: 0 });
  world.arrive(1, 'no_subject');
  world.lose(2);
  world.settle();
  expect(world.report).toEqual({
    id: 'a-1',
    revision: 5,
    served: 10,
    outcomes: { metered: 7, no_subject: 1 },
    unexplained: 2,
  });
});

test('what came before the first plugin server is lost, and no surplus of others hides it', () => {
  const world = createWorld();
  world.serve(46);
  world.lose();
  world.startServer();
  world.serve(554);
  world.arrive();
  world.settle();
  expect(world.report).toMatchObject({ served: 600, outcomes: { metered: 554 }, unexplained: 46 });
});

test('a server that is killed keeps what it had counted, also when its file is gone long since', () => {
  const world = withServer();
  world.serve(8);
  world.arrive();
  const [first = ''] = world.fileNames;
  world.killServer();
  world.serve(3);
  world.lose();
  world.startServer();
  world.serve(8);
  world.arrive();
  world.settle();
  expect(world.report).toMatchObject({ served: 19, unexplained: 3 });
  world.removeFile(first);
  for (let count = 0; count < 200; count++) world.read();
  expect(Object.keys(world.account.tallies)).toEqual(['p-2']);
  expect(world.report).toMatchObject({ served: 19, outcomes: { metered: 16 }, unexplained: 3 });
});

describe('a log that was there before anybody counted', () => {
  const withOldLog = () => {
    const world = createWorld();
    world.serve(1000);
    world.lose();
    Object.assign(world.truth, { served: 0, lost: 0 });
    world.openAccount();
    world.startServer();
    return world;
  };

  test('has no losses of before', () => {
    const world = withOldLog();
    world.read();
    world.serve(10);
    world.lose(3);
    world.settle();
    expect(world.report).toMatchObject({ served: 10, outcomes: { metered: 7 }, unexplained: 3 });
  });

  test('and what was on its way at the first reading hides none', () => {
    const world = withOldLog();
    world.serve(5);
    world.read();
    world.settle();
    world.serve(10);
    world.lose(3);
    world.settle();
    expect(world.report).toMatchObject({ served: 15, outcomes: { metered: 12 }, unexplained: 3 });
  });
});

test('what is on its way at every reading for a while counts as lost only until it has come', () => {
  const world = withServer();
  for (let round = 0; round < 5; round++) {
    world.serve(10);
    if (round > 0) world.arrive(10);
    world.read();
  }
  expect(world.report).toMatchObject({ served: 50, unexplained: 10 });
  world.settle();
  expect(world.report).toMatchObject({ served: 50, unexplained: 0 });
});

test.each([0, 4])('after a loss of power nothing is taken for lost that nobody can know (log less %i)', (lost) => {
  const world = withServer();
  world.serve(20);
  world.lose(2);
  world.settle();
  // In the log, and perhaps in a count that is not on disk.
  world.serve(5);
  world.losePower(lost + 5);
  world.startServer();
  world.read();
  world.serve(10);
  world.lose(1);
  world.settle();
  expect(world.report).toMatchObject({ outcomes: { metered: 27 }, unexplained: 3 });
});

describe('whatever happens, in whatever order', () => {
  const some = (what: string, weight: number) => ({
    weight,
    arbitrary: fc.tuple(fc.constant(what), fc.integer({ min: 1, max: 50 })),
  });
  const happenings = fc.array(
    fc.oneof(
      ...['serve', 'arrive', 'lose', 'read'].map((what) => some(what, 4)),
      ...['busy', 'replace', 'second', 'wipe', 'cutOff', 'cutOffAndKilled'].map((what) => some(what, 1)),
    ),
    { maxLength: 80 },
  );
  type World = ReturnType<typeof createWorld>;
  const HAPPENING: Record<string, (world: World, count: number) => void> = {
    serve: (world, count) => world.serve(count),
    arrive: (world, count) => world.arrive(count),
    lose: (world, count) => world.lose(count),
    read: (world) => world.read(),
    busy: (world, count) => world.read(() => [world.serve(count), world.arrive(count)]),
    replace: (world) => [world.killServer(), world.startServer()],
    second: (world) => world.startServer(),
    wipe: (world) => world.wipe(),
    cutOff: (world, count) => [world.read(), world.serve(count), world.cutOff()],
    cutOffAndKilled: (world) => [world.read(), world.cutOff(true), world.read()],
  };

  test('exactly what was lost is unexplained', () => {
    fc.assert(
      fc.property(happenings, (all) => {
        const world = withServer();
        for (const [what, count] of all) HAPPENING[what]?.(world, count);
        world.settle();
        const { served, lost, outcomes } = world.truth;
        expect(world.report).toMatchObject({ served, unexplained: lost, outcomes });
      }),
    );
  });
});
