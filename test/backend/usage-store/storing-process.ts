// Run as a process of its own: stores events as fast as it can, and says after each batch which ones are on disk.
import { openSqliteUsageStore } from '../../../backend/usage-store/index.ts';
import { METERS, meteredEvent, SMALL_SIZES } from './storing.ts';

const [path = '', round = ''] = process.argv.slice(2);
const store = await openSqliteUsageStore(path, { nowMs: () => Date.now() }, { rollups: SMALL_SIZES });
await store.syncMeters(METERS);
for (let next = 0; ; ) {
  // Several requests at a time share their transactions.
  const requests = Array.from({ length: 4 }, () =>
    Array.from({ length: 1 + Math.floor(Math.random() * 40) }, () => meteredEvent(Number.parseInt(round, 10), next++)),
  );
  await Promise.all(
    requests.map(async (events) => {
      await store.append(events);
      process.stdout.write(`${events.map((event) => event.id).join('\n')}\n`);
    }),
  );
}
