// What queries cost with many events against few of the same shape. Both stores answer in turn.
//   node bench/query.ts [--events N] [--rounds N] [--dir FOLDER]
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type AnswerOrigin,
  openSqliteUsageStore,
  type UsageQuery,
  type UsageStore,
} from '../backend/metering/usage-store/index.ts';
import { gatewayEvents, REQUESTS } from './gateway-events.ts';
import { ratioLine } from './report.ts';
import { QUERIES, QUERIES_OF_ZONES, WHOLE_MONTH } from './usage-queries.ts';

const FEW = 100_000;
const BATCH = 1000;
const LIMIT = 2;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '30' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const many = Number.parseInt(values.events, 10);
const rounds = Number.parseInt(values.rounds, 10);
const folder = mkdtempSync(join(values.dir, 'bench-query-'));
let origin: AnswerOrigin | undefined;
const small = await filledStore('few', FEW);
const large = await filledStore('many', many);

const queries: Readonly<Record<string, UsageQuery>> = { ...QUERIES, ...QUERIES_OF_ZONES };
await measure('right after the last event');
for (const store of [small, large]) {
  do await store.query(WHOLE_MONTH);
  while (origin?.pendingEvents !== 0);
}
await measure('when all is folded');
await small.close();
await large.close();
rmSync(folder, { recursive: true });

async function measure(when: string): Promise<void> {
  process.stdout.write(`${when}:\n`);
  for (const [name, query] of Object.entries(queries)) {
    const times = { small: [] as number[], large: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      times.small.push(await time(small, query));
      times.large.push(await time(large, query));
    }
    const p50 = { small: median(times.small), large: median(times.large) };
    const line = ratioLine(name, [p50.large / p50.small], LIMIT, 'at most');
    process.stdout.write(`  ${line}; p50 ${p50.small.toFixed(1)} ms and ${p50.large.toFixed(1)} ms\n`);
  }
}

async function filledStore(name: string, events: number): Promise<UsageStore> {
  const store = await openSqliteUsageStore(
    join(folder, `${name}.sqlite`),
    { nowMs: () => Date.now() },
    {
      onAnswer: (answered) => {
        origin = answered;
      },
    },
  );
  await store.syncMeters([REQUESTS]);
  const start = performance.now();
  for (let done = 0; done < events; done += BATCH) {
    await store.append(gatewayEvents(BATCH, done, () => randomUUID(), events));
  }
  const perSecond = events / ((performance.now() - start) / 1000);
  process.stdout.write(
    `${events.toLocaleString('en')} events stored, ${Math.round(perSecond).toLocaleString('en')}/s\n`,
  );
  return store;
}

async function time(store: UsageStore, query: UsageQuery): Promise<number> {
  const start = performance.now();
  const rows = await store.query(query);
  // The answer's order is by name; the hundred with the most usage are the client's choice.
  if (query.groupBySubject) rows.sort((a, b) => Number(b.value) - Number(a.value)).slice(0, 100);
  const elapsedMs = performance.now() - start;
  if (origin?.by !== 'roll-ups' || rows.length === 0) throw new Error('not answered from roll-ups');
  return elapsedMs;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
