// What storing costs: batches of 1,000 events with random ids, each batch on disk before the next. Compared in turn with
// inserting the same rows in the same transactions into a bare table without any index, on the same disk.
// A second store keeps roll-ups for a meter with three dimensions.
//   npm run bench:store -- [--events N] [--dir FOLDER]
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type NewEvent, openSqliteUsageStore, type UsageStore } from '../backend/metering/usage-store/index.ts';
import { openBareTable } from './bare-table.ts';
import { gatewayEvents, REQUESTS } from './gateway-events.ts';
import { ratioLine } from './report.ts';

const BATCH = 1000;
const LIMIT = 0.4;
/** Of the last rounds, when so many are stored that an index over random ids would have fallen far behind. */
const LIMIT_WHEN_MANY = 0.3;
const LAST_ROUNDS = 10;
const ROUND_EVENTS = 100_000;

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, dir: { type: 'string', default: tmpdir() } },
});
const total = Number.parseInt(values.events, 10);
const folder = mkdtempSync(join(values.dir, 'bench-store-'));
const store = await openSqliteUsageStore(join(folder, 'usage.sqlite'), { nowMs: () => Date.now() });
const metered = await openSqliteUsageStore(join(folder, 'metered.sqlite'), { nowMs: () => Date.now() });
await metered.syncMeters([REQUESTS]);
const bare = openBareTable(join(folder, 'bare.sqlite'));
const ratios: number[] = [];
const meteredRatios: number[] = [];
for (let done = 0; done < total; done += ROUND_EVENTS) {
  const events = gatewayEvents(ROUND_EVENTS, done, () => randomUUID());
  const bareSeconds = timeSync(() => inBatches(events, (batch) => bare.insert(batch)));
  const storeSeconds = await time(() => appendAll(store, events));
  const meteredSeconds = await time(() => appendAll(metered, events));
  ratios.push(bareSeconds / storeSeconds);
  meteredRatios.push(bareSeconds / meteredSeconds);
  const rate = (seconds: number) => Math.round(ROUND_EVENTS / seconds).toLocaleString('en');
  process.stdout.write(
    `${(done + ROUND_EVENTS).toLocaleString('en').padStart(12)} events: store ${rate(storeSeconds)}/s, with a meter ${rate(meteredSeconds)}/s, bare ${rate(bareSeconds)}/s, ratios ${(bareSeconds / storeSeconds).toFixed(2)} and ${(bareSeconds / meteredSeconds).toFixed(2)}\n`,
  );
}
process.stdout.write(`${ratioLine('store / bare table', ratios, LIMIT)}\n`);
process.stdout.write(`${ratioLine('store with a meter of three dimensions / bare table', meteredRatios, LIMIT)}\n`);
if (ratios.length > LAST_ROUNDS) {
  const what = `with ${(total - LAST_ROUNDS * ROUND_EVENTS).toLocaleString('en')} to ${total.toLocaleString('en')} events stored`;
  process.stdout.write(`${ratioLine(`${what}: store`, ratios.slice(-LAST_ROUNDS), LIMIT_WHEN_MANY)}\n`);
  process.stdout.write(
    `${ratioLine(`${what}: store with a meter`, meteredRatios.slice(-LAST_ROUNDS), LIMIT_WHEN_MANY)}\n`,
  );
}
await store.close();
await metered.close();
bare.close();
for (const [what, name] of [
  ['store', 'usage'],
  ['store with a meter', 'metered'],
] as const) {
  const bytes = statSync(join(folder, `${name}.sqlite`)).size / total;
  process.stdout.write(`${what}: ${Math.round(bytes)} bytes an event on disk\n`);
}
rmSync(folder, { recursive: true });

async function appendAll(to: UsageStore, events: readonly NewEvent[]): Promise<void> {
  for (let start = 0; start < events.length; start += BATCH) await to.append(events.slice(start, start + BATCH));
}

function inBatches(events: readonly NewEvent[], use: (batch: readonly NewEvent[]) => void): void {
  for (let start = 0; start < events.length; start += BATCH) use(events.slice(start, start + BATCH));
}

function timeSync(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
