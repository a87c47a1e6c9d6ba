// What the locks of the control plane on PostgreSQL cost: transactions a second over many customers, when each keeps its customer,
// when each keeps everything, and when none keeps anything. In turn, so that the machine's other work falls on all of them.
//   node bench/control-postgres.ts --url postgres://… [--rounds N] [--seconds N]
// The database must be empty, with the locale C.UTF-8.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import type { DbHandle } from '../backend/platform/db/handle.ts';
import { customerLock, type Locks } from '../backend/platform/db/locks.ts';
import { openPostgresControlDb } from '../backend/platform/db/postgres-control-db.ts';
import { ratioLine } from './report.ts';

/** Transactions at the same time, and the customers that they are about. */
const AT_ONCE = 16;
const CUSTOMERS = 2000;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '2' },
  },
});
if (values.url === undefined) throw new Error('say which empty database: --url postgres://…');
const db = await openPostgresControlDb(values.url, fileURLToPath(new URL('../backend/migrations', import.meta.url)));
const roundMs = 1000 * Number.parseInt(values.seconds, 10);

/** As a small change of a customer: two reads, two writes. */
async function change(own: DbHandle, customer: string): Promise<void> {
  for (const part of ['first', 'second']) {
    const scope = `${customer} ${part}`;
    await sql`SELECT value FROM invoice_counters WHERE scope = ${scope}`.execute(own.kysely);
    await sql`INSERT INTO invoice_counters VALUES (${scope}, 1)
      ON CONFLICT (scope) DO UPDATE SET value = invoice_counters.value + 1`.execute(own.kysely);
  }
}

/** @returns transactions a second */
async function rate(locksOf: (customer: string) => Locks | undefined): Promise<number> {
  const untilMs = performance.now() + roundMs;
  let next = 0;
  let done = 0;
  const work = async () => {
    while (performance.now() < untilMs) {
      const customer = `customer ${next++ % CUSTOMERS}`;
      await db.transaction((own) => change(own, customer), locksOf(customer));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (1000 * done) / roundMs;
}

const ofGlobal: number[] = [];
const ofNone: number[] = [];
for (let round = 0; round < Number.parseInt(values.rounds, 10); round++) {
  const [customer, everything, nothing] = [
    await rate((id) => [customerLock(id)]),
    await rate(() => undefined),
    await rate(() => []),
  ];
  ofGlobal.push(customer / everything);
  ofNone.push(customer / nothing);
  const told = [customer, everything, nothing].map((one) => one.toFixed(0)).join(', ');
  process.stdout.write(`transactions a second with a lock of the customer, of everything, of nothing: ${told}\n`);
}
process.stdout.write(`${ratioLine('a lock for each customer : one for everything', ofGlobal, 1)}\n`);
process.stdout.write(`${ratioLine('a lock for each customer : none', ofNone, 0.7)}\n`);
await db.close();
