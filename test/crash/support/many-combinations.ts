// Run as a process of its own, with a bounded heap: stores events of ever new combinations of dimension values, no value of
// which is rare, then says how many are stored.
import { openSqliteUsageStore } from '../../../backend/metering/usage-store/index.ts';

const [path = '', wanted = ''] = process.argv.slice(2);
const EVENTS = Number.parseInt(wanted, 10);
const METERS = 4;
const BATCH = 1000;
const DIMENSIONS = Array.from({ length: 20 }, (_, index) => `dimension_${index}`);

const store = await openSqliteUsageStore(path, { nowMs: () => Date.parse('2026-11-01T00:00:00Z') });
// Each meter has combinations of its own: names of dimensions decide their order.
await store.syncMeters(
  Array.from({ length: METERS }, (_, index) => ({
    eventType: 't',
    aggregation: 'count' as const,
    valueProperty: undefined,
    eventsFromMs: undefined,
    dimensions: Object.fromEntries(DIMENSIONS.map((name) => [`${name}_of_${index}`, `$.${name}`])),
  })),
);
const { stored } = await store.totals();
for (let next = stored; next < EVENTS; next += BATCH) {
  await store.append(
    Array.from({ length: BATCH }, (_, offset) => {
      const number = next + offset;
      // A number of the combination, written with the values of the dimensions as its digits.
      const data = Object.fromEntries(
        DIMENSIONS.map((name, place) => [name, `value-${Math.floor(number / 100 ** place) % 100}`]),
      );
      return {
        source: 's',
        id: `${number}`,
        type: 't',
        subject: 'x',
        timeMs: Date.parse('2026-11-01T00:00:00Z') + number,
        data: JSON.stringify(data),
        ingestedAtMs: 0,
      };
    }),
  );
}
process.stdout.write(`${JSON.stringify(await store.totals())}\n`);
await store.close();
