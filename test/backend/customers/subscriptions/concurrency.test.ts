import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { subscriptionLines } from '../../../../backend/customers/subscriptions/index.ts';
import { reconcileItems } from '../../../../backend/customers/subscriptions/reconcile-items.ts';
import { subscriptionRepository } from '../../../../backend/customers/subscriptions/repository.ts';
import type { Subscription } from '../../../../backend/customers/subscriptions/types.ts';
import { subscriptionView } from '../../../../backend/customers/subscriptions/view.ts';
import type { Json } from '../../../support/answers.ts';
import { feeCard, phase } from '../../../support/catalog/plans.ts';
import { openControlPlane } from '../../../support/control-engine.ts';
import { openShop, type Shop } from '../../../support/customers/shop.ts';

/** Changes that each process makes, and how often one of them is killed in the middle. */
const [CHANGES, KILLS] = process.env['LONG'] ? [2_000, 40] : [60, 3];
let shop: Shop;
let customer: Json;
let planIds: string[];
let addon: Json;
beforeAll(async () => {
  shop = await openShop(new Date().toISOString());
  addon = await shop.addon('seats', { rate_cards: [feeCard()] });
  const plan = async (key: string) =>
    (await shop.planWithAddons(key, [[addon]], { phases: [phase([feeCard(), feeCard({ key, name: key })])] })).id;
  planIds = [await plan('one'), await plan('two')];
  customer = await shop.customer();
});
afterAll(() => shop.close());

test('two processes change one subscription, killed in the middle again and again: never an impossible state', async () => {
  const seeds = Array.from({ length: KILLS }, (_, index) => index + 1);
  const outcomes = new Set<string>();
  const steady = startWriter(1_000, CHANGES);
  for (const seed of seeds) {
    const victim = startWriter(seed, Number.MAX_SAFE_INTEGER);
    for (let line = 0; line < 5 + seed * 3; line++) outcomes.add(await victim.line());
    victim.child.kill('SIGKILL');
    await once(victim.child, 'exit');
  }
  for (let done = 0; done <= CHANGES; done++) outcomes.add(await steady.line());
  // It may have ended while its last lines were read.
  if (steady.child.exitCode === null) await once(steady.child, 'exit');
  expect(steady.child.exitCode).toBe(0);
  expect([...outcomes]).toEqual(expect.arrayContaining(['ready', 'done changed', 'done unauthorized']));
  await expectPossibleState();
});

async function expectPossibleState(): Promise<void> {
  const db = await openControlPlane(shop.backend.dataDir);
  try {
    const { data } = await shop.ok('GET', `/subscriptions?page[size]=1000&filter[customer_id]=${customer.id}`);
    const living = await subscriptionRepository(db).byIds(data.map(({ id }: Json) => id));
    expect(living.length).toBeGreaterThan(1);
    const byId = new Map(living.map((own) => [own.id, own]));
    for (const own of living) {
      expect(reconcileItems(own, own.items, () => 'new')).toEqual(own.items);
      if (own.supersedingId !== undefined) {
        const next = byId.get(own.supersedingId);
        expect([next?.previousId, next?.activeFromMs]).toEqual([own.id, own.activeToMs]);
      }
      expectDistinctLines(own);
    }
    expectNoOverlap(living);
  } finally {
    await db.close();
  }
}

function expectDistinctLines(own: Subscription): void {
  const untilMs = own.activeFromMs + 100 * 86_400_000;
  const identities = subscriptionLines(subscriptionView(own, untilMs), { untilMs }).map((line) => line.identity);
  expect(new Set(identities).size).toBe(identities.length);
}

function expectNoOverlap(living: readonly Subscription[]): void {
  const inTime = living
    .filter((own) => own.activeToMs === undefined || own.activeToMs > own.activeFromMs)
    .toSorted((a, b) => a.activeFromMs - b.activeFromMs);
  for (const [index, own] of inTime.entries()) {
    const next = inTime[index + 1];
    if (next !== undefined) expect(own.activeToMs ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(next.activeFromMs);
  }
}

function startWriter(seed: number, count: number) {
  const script = fileURLToPath(new URL('concurrent-writer.ts', import.meta.url));
  const args = [script, shop.backend.dataDir, `${seed}`, `${count}`, customer.id, addon.id, ...planIds];
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, args);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done !== true) return value;
    if (child.exitCode === null) await once(child, 'exit');
    throw new Error(`writer ${seed} ended with ${child.exitCode}: ${complaint}`);
  };
  return { child, line };
}
