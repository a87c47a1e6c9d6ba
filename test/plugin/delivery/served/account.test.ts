import { describe, expect, test } from 'vitest';
import {
  type Account,
  afterBoot,
  asking,
  openAccount,
  type Reading,
  reportOf,
  type Tally,
  takeReading,
} from '../../../../plugin/delivery/served/account.ts';
import { fc } from '../../../support/property.ts';

/** A gateway with its plugin servers, all that happens to them, and somebody who reads. */
function createWorld({ canSeeMaster = true, bornMs = 10_000 } = {}) {
  let nowMs = bornMs;
  let boot = 'boot-1';
  let account: Account = openAccount('a-1', boot);
  let lastId = 0;
  const id = () => `p-${++lastId}`;
  const kong = { isUp: false, master: '', startedAtMs: 0, total: 0, writing: 0, accepted: 0, workers: [] as number[] };
  interface Server {
    id: string;
    generations: Map<number, Record<string, number>>;
    sequence: number;
  }
  let servers: Server[] = [];
  let files = new Map<string, Tally>();
  let downAtMs: number | undefined;
  /** Entries on their way, by the birth of the instance that they are for. */
  let onTheWay = 0;
  const truth = { served: 0, lost: 0, outcomes: {} as Record<string, number> };
  let bornAtMs = 0;
  let watchedSinceMs = nowMs;

  const pass = (ms = 1000) => {
    nowMs += ms;
  };
  const begin = (more = 1) => {
    kong.total += more;
    kong.accepted += more;
  };
  const save = (server: Server) => {
    const generations = Array.from(server.generations, ([born, outcomes]) => ({ bornAtMs: born, outcomes: { ...outcomes } }));
    files.set(server.id, { sequence: ++server.sequence, generations });
  };
  const world = {
    truth,
    pass,
    get report() {
      return reportOf(account);
    },
    get account() {
      return account;
    },
    startServer() {
      servers.push({ id: id(), generations: new Map(), sequence: 0 });
      bornAtMs = nowMs;
      pass(500);
    },
    /** SIGKILL: its file stays for a while. */
    killServer() {
      servers.shift();
    },
    removeFile(name: string) {
      files.delete(name);
    },
    get fileNames() {
      return [...files.keys()];
    },
    wipe() {
      files = new Map();
      // Each makes its own anew.
      for (const server of servers) save(server);
    },
    startKong(withInstances = true) {
      Object.assign(kong, { isUp: true, master: `m-${nowMs}`, startedAtMs: nowMs, total: 0, writing: 0, accepted: 0 });
      kong.workers = [++lastId, ++lastId];
      begin(2);
      kong.writing = 2;
      pass(500);
      if (withInstances) bornAtMs = nowMs;
      pass(500);
    },
    reload() {
      kong.workers = [++lastId, ++lastId];
      begin(2);
      pass(1500);
      bornAtMs = nowMs;
      pass(500);
    },
    stopKong() {
      world.arrive();
      kong.isUp = false;
      kong.writing = 0;
      pass();
    },
    request(count = 1) {
      begin(count);
      truth.served += count;
      onTheWay += count;
    },
    arrive(count = onTheWay, outcome = 'metered') {
      const [server] = servers.toReversed();
      const arriving = Math.min(count, onTheWay);
      onTheWay -= arriving;
      if (server === undefined) {
        truth.lost += arriving;
        return;
      }
      const outcomes = server.generations.get(bornAtMs) ?? {};
      server.generations.set(bornAtMs, outcomes);
      for (const sums of [outcomes, truth.outcomes]) sums[outcome] = (sums[outcome] ?? 0) + arriving;
      save(server);
    },
    lose(count = onTheWay) {
      const losing = Math.min(count, onTheWay);
      onTheWay -= losing;
      truth.lost += losing;
    },
    /** @param between what happens during the reading */
    read(between: () => void = () => undefined) {
      pass(5000);
      const before = new Map(files);
      if (!kong.isUp) {
        downAtMs ??= nowMs;
        return;
      }
      account = asking(account);
      begin();
      kong.writing++;
      const { total, writing, accepted, workers } = kong;
      const counts = { total, reading: 0, writing, accepted, handled: accepted, workers };
      const master = canSeeMaster ? { id: kong.master, startedAtMs: kong.startedAtMs } : undefined;
      between();
      const reading: Reading = { counts, master, before, after: new Map(files), nowMs, watchedSinceMs, downAtMs };
      account = takeReading(JSON.parse(JSON.stringify(account)) as Account, reading);
      kong.writing--;
      downAtMs = undefined;
    },
    /** All that is on its way arrives, and is looked at. */
    settle() {
      world.arrive();
      for (let count = 0; count < 3; count++) world.read();
    },
    /** Nobody knows anything of before. */
    openAccount() {
      account = openAccount(id(), boot);
      [files, watchedSinceMs, downAtMs] = [new Map(), nowMs, undefined];
    },
    startMachineAnew() {
      boot = 'boot-2';
      files = new Map();
      [kong.isUp, servers, onTheWay, nowMs] = [false, [], 0, 20_000];
      account = afterBoot(account, boot);
      watchedSinceMs = nowMs;
    },
  };
  return world;
}

const withKong = (options?: Parameters<typeof createWorld>[0]) => {
  const world = createWorld(options);
  world.startServer();
  world.read();
  world.startKong();
  world.read();
  return world;
};

describe.each([true, false])('whether or not the master of the gateway can be seen (%s)', (canSeeMaster) => {
  test('what has arrived and what is on its way is no loss; what has not come after three readings is', () => {
    const world = withKong({ canSeeMaster });
    world.request(10);
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

  test('a request that is not over has not been served yet', () => {
    const world = withKong({ canSeeMaster });
    world.request(3);
    world.arrive();
    world.settle();
    expect(world.report).toMatchObject({ served: 3, unexplained: 0 });
  });

  test('what came before the first plugin server is lost, and no surplus of others hides it', () => {
    const world = createWorld({ canSeeMaster });
    world.read();
    world.startKong(false);
    world.request(46);
    world.lose();
    world.startServer();
    world.request(554);
    world.arrive();
    world.settle();
    expect(world.report).toMatchObject({ served: 600, outcomes: { metered: 554 }, unexplained: 46 });
  });

  test('of one restart of Kong after the other, each is compared with its own', () => {
    const world = withKong({ canSeeMaster });
    world.request(5);
    world.arrive();
    world.settle();
    // After the last reading, and so in no count of Kong's that anybody has seen.
    world.request(30);
    world.arrive();
    world.stopKong();
    world.read();
    world.startKong();
    world.request(20);
    world.lose(20);
    world.request(100);
    world.arrive();
    world.settle();
    expect(world.report).toMatchObject({ served: 155, outcomes: { metered: 135 }, unexplained: 20 });
    world.stopKong();
    world.read();
    world.startKong();
    world.settle();
    expect(world.report).toMatchObject({ served: 155, unexplained: 20 });
  });

  test('a reload is no restart, and the connections between the workers of Kong are no requests', () => {
    const world = withKong({ canSeeMaster });
    for (let round = 0; round < 3; round++) {
      world.request(10);
      world.reload();
      world.lose(4);
      world.settle();
    }
    expect(world.report).toMatchObject({ served: 30, outcomes: { metered: 18 }, unexplained: 12 });
  });

  test('a server that is killed keeps what it had counted, also when its file is gone long since', () => {
    const world = withKong({ canSeeMaster });
    world.request(8);
    world.arrive();
    const [first = ''] = world.fileNames;
    world.killServer();
    world.request(3);
    world.lose();
    world.startServer();
    world.request(8);
    world.arrive();
    world.settle();
    expect(world.report).toMatchObject({ served: 19, unexplained: 3 });
    world.removeFile(first);
    world.read();
    world.pass(700_000);
    world.settle();
    expect(Object.keys(world.account.tallies)).not.toContain(first);
    expect(world.report).toMatchObject({ served: 19, outcomes: { metered: 16 }, unexplained: 3 });
  });

  test('a folder that is wiped costs nothing while somebody lives who knows', () => {
    const world = withKong({ canSeeMaster });
    world.request(9);
    world.lose(2);
    world.settle();
    world.wipe();
    world.request(1);
    world.settle();
    expect(world.report).toMatchObject({ served: 10, unexplained: 2 });
  });

  test('the end of the machine ends the run; what was known stays', () => {
    const world = withKong({ canSeeMaster });
    world.request(9);
    world.lose(2);
    world.settle();
    world.startMachineAnew();
    world.startServer();
    world.read();
    world.startKong();
    world.request(5);
    world.lose(1);
    world.settle();
    expect(world.report).toMatchObject({ served: 14, outcomes: { metered: 11 }, unexplained: 3 });
  });
});

describe.each([true, false])('of a gateway that runs already (its master can be seen: %s)', (canSeeMaster) => {
  const withKongThatRuns = () => {
    const world = createWorld({ canSeeMaster });
    world.startKong(false);
    world.request(1000);
    world.lose();
    Object.assign(world.truth, { served: 0, lost: 0 });
    world.pass(100_000);
    world.openAccount();
    world.startServer();
    return world;
  };

  test('what was before anybody counted is no loss, and what comes then is counted', () => {
    const world = withKongThatRuns();
    world.read();
    world.request(10);
    world.lose(3);
    world.settle();
    expect(world.report).toMatchObject({ served: 10, outcomes: { metered: 7 }, unexplained: 3 });
  });

  test('what was on its way at the first reading hides nothing', () => {
    const world = withKongThatRuns();
    world.request(5);
    world.read();
    world.settle();
    world.request(10);
    world.lose(3);
    world.settle();
    expect(world.report).toMatchObject({ served: 15, outcomes: { metered: 12 }, unexplained: 3 });
  });
});

test('what is on its way at every reading for a while counts as lost only until it has come', () => {
  const world = withKong();
  for (let round = 0; round < 5; round++) {
    world.request(10);
    if (round > 0) world.arrive(10);
    world.read();
  }
  expect(world.report).toMatchObject({ served: 50, unexplained: 10 });
  world.settle();
  expect(world.report).toMatchObject({ served: 50, unexplained: 0 });
});

describe('whatever happens, in whatever order', () => {
  const happening = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constantFrom('request', 'arrive', 'lose'), count: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('read', 'readBusy'), count: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('reload', 'replace', 'second', 'wipe', 'restart'), count: fc.constant(0) }) },
  );
  const run = (world: ReturnType<typeof createWorld>, happenings: readonly { what: string; count: number }[], isRestQuiet: boolean) => {
    for (const { what, count } of happenings) {
      if (what === 'request') world.request(count);
      else if (what === 'arrive') world.arrive(count);
      else if (what === 'lose') world.lose(count);
      else if (what === 'read') world.read();
      else if (what === 'readBusy')
        world.read(() => {
          world.request(count);
          world.arrive(count);
        });
      else if (what === 'reload') {
        // Of workers that nobody has seen nobody knows that they had one request each.
        world.read();
        world.reload();
        world.read();
      } else if (what === 'replace') {
        world.killServer();
        world.startServer();
      } else if (what === 'second') world.startServer();
      else if (what === 'wipe') world.wipe();
      else {
        if (isRestQuiet) world.settle();
        world.stopKong();
        if (isRestQuiet) world.read();
        world.startKong();
      }
    }
    world.settle();
  };

  test('exactly what was lost is unexplained', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.boolean(), (happenings, canSeeMaster) => {
        const world = withKong({ canSeeMaster });
        run(world, happenings, true);
        const { served, lost, outcomes } = world.truth;
        expect(world.report).toMatchObject({ served, unexplained: lost, outcomes });
      }),
    );
  });

  test('when Kong ends between two readings, what was lost since the last is not known, and nothing else is wrong', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const world = withKong();
        run(world, happenings, false);
        const { served, lost, outcomes } = world.truth;
        const { report } = world;
        expect(report.outcomes).toEqual(outcomes);
        expect(report.unexplained).toBeLessThanOrEqual(lost);
        expect(report.served).toBeLessThanOrEqual(served);
        expect(report.served).toBe(report.unexplained + Object.values(outcomes).reduce((sum, count) => sum + count, 0));
      }),
    );
  });
});
