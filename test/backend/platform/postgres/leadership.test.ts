import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Leadership } from '../../../../backend/platform/leadership.ts';
import { startLeadership } from '../../../../backend/platform/postgres/leadership.ts';
import { createDatabase, endConnections, hasPostgres } from '../../../support/postgres-cluster.ts';

const LOCK = 7;

describe.runIf(hasPostgres)('of several backends on one database', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let all: Leadership[];
  /** Which was told that it leads, in the order in which they were. */
  let told: number[];
  const leaders = () => all.flatMap((one, index) => (one.leads() ? [index] : []));
  const one = async (): Promise<number> => {
    await expect.poll(leaders).toHaveLength(1);
    return leaders()[0] ?? -1;
  };

  beforeEach(async () => {
    database = await createDatabase();
    told = [];
    all = [0, 1, 2].map(() => startLeadership(database.url, LOCK));
    for (const [index, leadership] of all.entries()) leadership.onLead(() => told.push(index));
  });
  afterEach(async () => {
    await Promise.all(all.map(({ stop }) => stop()));
    await database.drop();
  });

  test('one leads, is told so, and who is told later is told at once', async () => {
    const leader = await one();
    expect(told).toEqual([leader]);
    all[leader]?.onLead(() => told.push(-1));
    expect(told).toEqual([leader, -1]);
  });

  test('another leads when the one ends', async () => {
    const first = await one();
    await all[first]?.stop();
    await expect.poll(() => told.length).toBe(2);
    expect(await one()).not.toBe(first);
  });

  test('one leads again when all connections are lost', async () => {
    await one();
    await endConnections(database.url);
    await expect.poll(() => told.length).toBeGreaterThan(1);
    await one();
  });
});
