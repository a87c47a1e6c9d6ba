import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresUsageStore } from '../../../../../backend/metering/usage-store/postgres/postgres-usage-store.ts';
import { bucketOf } from '../../../../../backend/metering/usage-store/series/levels.ts';
import { createDatabase, hasPostgres } from '../../../../support/postgres-cluster.ts';
import { testClock } from '../../../../support/test-clock.ts';

const DAY_MS = 86_400_000;

test.skipIf(!hasPostgres)('the database counts days and months as the backend does, in all of time', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  await (await openPostgresUsageStore(url, testClock())).close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  // Every day around the turns of centuries and eras, and some of all others.
  const near = [-719_528, -719_162, -25_567, 0, 11_016, 47_482].flatMap((day) =>
    Array.from({ length: 800 }, (_, index) => day - 400 + index),
  );
  const days = [...near, ...Array.from({ length: 4000 }, (_, index) => -1_000_000 + index * 997)];
  const { rows } = await client.query<{ day: string; month: string }>(
    'SELECT usage.floor_div(d * 86400000 + 1, 86400000) AS day, usage.month_of_day(d) AS month FROM unnest($1::bigint[]) AS d',
    [days],
  );
  expect(rows.map(({ day, month }) => [Number.parseInt(day, 10), Number.parseInt(month, 10)])).toEqual(
    days.map((day) => [bucketOf('day', day * DAY_MS + 1), bucketOf('month', day * DAY_MS + 1)]),
  );
});
