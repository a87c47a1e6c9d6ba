import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { checkReadiness, type ReadinessParts } from '../../../backend/monitoring/readiness.ts';
import { openSqlite } from '../../../backend/platform/db/sqlite.ts';
import type { AppEnv } from '../../../backend/platform/http/env.ts';
import { problemHandler } from '../../../backend/platform/http/problem.ts';
import { createLogger } from '../../../backend/platform/log.ts';

test('a full disk is told as such: 503, and when to try again', async () => {
  const db = openSqlite(':memory:');
  db.exec('CREATE TABLE texts (text TEXT)');
  db.pragma('max_page_count = 3');
  const app = new Hono<AppEnv>();
  app.onError(problemHandler(createLogger('silent')));
  app.post('/', (c) => {
    db.prepare('INSERT INTO texts VALUES (?)').run('x'.repeat(100_000));
    return c.body(null, 201);
  });
  const answer = await app.request('/', { method: 'POST' });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('30');
  expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('no room on the disk') });
  db.close();
});

test('a store that is busy is ready all the same, and is asked once until it answers', async () => {
  const answered = Promise.withResolvers<void>();
  let asked = 0;
  const usage = {
    check: () => {
      asked += 1;
      return answered.promise;
    },
    upkeep: async () => ({ unknownMigrations: [], backFillingMeters: 0, backFillEventsLeft: 0 }),
  };
  const parts = {
    usage,
    db: { check: async () => {}, unknownMigrations: () => [] },
    jobs: { states: () => [] },
    lastBillingRun: async () => undefined,
    disk: undefined,
  } as unknown as ReadinessParts;
  const check = () => checkReadiness(parts, () => {}, 1);
  for (let count = 0; count < 3; count++) {
    const { status, checks } = await check();
    expect(status).toBe('degraded');
    expect(checks['usage_store']).toMatchObject({ status: 'degraded', detail: expect.stringContaining('busy') });
  }
  expect(asked).toBe(1);
  answered.resolve();
  await answered.promise;
  await expect.poll(async () => (await check()).checks['usage_store']?.status).toBe('ok');
});
