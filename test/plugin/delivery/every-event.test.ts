import { expect, test } from 'vitest';
import type { Answer, IngestServer, Respond } from '../../support/plugin/ingest-server.ts';
import { createManualClock, type ManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, pushAll, type Rig, serve } from '../../support/plugin/rig.ts';
import { fc } from '../../support/property.ts';

type Step = { readonly push: number } | { readonly advanceMs: number } | { readonly turns: number };
/** What the server does with a request; `honest` = 400 for a batch with a culprit in it, else 202. */
type Deed = 'honest' | '500' | '429' | 'refuse to answer' | 'take and break off';

interface Story {
  readonly steps: readonly Step[];
  readonly deeds: readonly Deed[];
  /** Every how manieth event the server refuses for its content. */
  readonly culpritEvery: number;
  readonly maxBatchSize: number;
  readonly maxEntries: number;
  readonly maxCoalescingDelayMs: number;
  readonly maxRetryTimeMs: number;
  readonly failureThreshold: number;
  readonly concurrencyLimit: number;
  /** Whether the end comes with SIGTERM and a deadline of 0, or when everything has been dealt with. */
  readonly isCutShort: boolean;
}

const step = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 15 }) }),
  fc.record({ advanceMs: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ turns: fc.integer({ min: 1, max: 30 }) }),
);

const story: fc.Arbitrary<Story> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  deeds: fc.array(fc.constantFrom<Deed>('honest', 'honest', '500', '429', 'refuse to answer', 'take and break off'), {
    maxLength: 40,
  }),
  culpritEvery: fc.integer({ min: 2, max: 40 }),
  maxBatchSize: fc.integer({ min: 1, max: 20 }),
  maxEntries: fc.integer({ min: 1, max: 60 }),
  maxCoalescingDelayMs: fc.integer({ min: 0, max: 300 }),
  maxRetryTimeMs: fc.constantFrom(0, 500, 1e9),
  failureThreshold: fc.constantFrom(0, 0, 2),
  concurrencyLimit: fc.constantFrom(1, -1),
  isCutShort: fc.boolean(),
});

interface Seen {
  /** Answered 2xx in full. */
  readonly accepted: string[];
  /** Taken by a server whose answer then broke off. */
  readonly takenInSecret: Set<string>;
}

const isCulprit = (id: string, { culpritEvery }: Story) => Number.parseInt(id.slice(1), 10) % culpritEvery === 0;

function respondAsIn(told: Story, seen: Seen): Respond {
  let requests = 0;
  return ({ ids }): Answer => {
    const deed = told.deeds[requests++] ?? 'honest';
    if (deed === '500') return { status: 500 };
    if (deed === '429') return { status: 429, headers: { 'retry-after': '1' } };
    if (deed === 'refuse to answer') return { status: 500, close: 'before answer' };
    if (ids.some((id) => isCulprit(id, told))) return { status: 400 };
    if (deed === 'take and break off') {
      for (const id of ids) seen.takenInSecret.add(id);
      return { status: 202, close: 'within headers' };
    }
    seen.accepted.push(...ids);
    return { status: 202 };
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

async function act(told: Story, rig: Rig, clock: ManualClock): Promise<number> {
  let pushed = 0;
  for (const part of told.steps) {
    if ('push' in part)
      pushAll(
        rig.delivery,
        Array.from({ length: part.push }, () => `e${pushed++}`),
      );
    else if ('advanceMs' in part) clock.advance(part.advanceMs);
    else await turns(part.turns);
  }
  while (!told.isCutShort && rig.deliveries.counters().waiting > 0) {
    await turns(2);
    clock.advance(50);
  }
  const stopped = rig.deliveries.stop(0);
  clock.advance(0);
  await stopped;
  return pushed;
}

let stories = 0;

async function live(told: Story, server: IngestServer): Promise<void> {
  const clock = createManualClock();
  const seen: Seen = { accepted: [], takenInSecret: new Set() };
  // A request of the story before, cut off at its end, may still arrive: each story has a path of its own.
  const path = `/stories/${++stories}`;
  const respond = respondAsIn(told, seen);
  server.respond = (request, index) => (request.path === path ? respond(request, index) : { status: 503 });
  const { maxBatchSize, maxEntries, maxCoalescingDelayMs, maxRetryTimeMs, failureThreshold, concurrencyLimit } = told;
  const rig = createRig(new URL(path, server.url).href, {
    clock,
    random: () => 0.5,
    // Real sockets do not keep up with a time that flies; what a timeout does is told elsewhere.
    timeoutMs: 1e12,
    queue: {
      maxBatchSize,
      maxEntries,
      maxCoalescingDelayMs,
      maxRetryTimeMs,
      failureThreshold,
      concurrencyLimit,
      initialRetryDelayMs: 20,
      maxRetryDelayMs: 200,
      breakerCooldownMs: 300,
    },
  });
  const pushed = await act(told, rig, clock);
  const { taken, sent, waiting, dropped } = rig.deliveries.counters();
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);

  // One fate each.
  expect({ taken, waiting, fates: sent + lost }).toEqual({ taken: pushed, waiting: 0, fates: pushed });
  // What the server has said yes to is not sent again…
  expect(new Set(seen.accepted).size).toBe(seen.accepted.length);
  // …and is what we count as sent, so the others are exactly those that are counted as dropped. Only the deadline may
  // cut off a yes on its way: an event both received and dropped, never one that is neither.
  if (told.isCutShort) expect(sent).toBeLessThanOrEqual(seen.accepted.length);
  else expect(sent).toBe(seen.accepted.length);
  const received = new Set([...seen.accepted, ...seen.takenInSecret]);
  expect(pushed - received.size).toBeLessThanOrEqual(lost);

  const culprits = Array.from({ length: pushed }, (_, index) => `e${index}`).filter((id) => isCulprit(id, told));
  const { rejected = 0, ...otherwise } = dropped;
  expect(culprits.filter((id) => received.has(id))).toEqual([]);
  if (Object.keys(otherwise).length === 0) expect(rejected).toBe(culprits.length);
  else expect(rejected).toBeLessThanOrEqual(culprits.length);
  if (maxRetryTimeMs === 1e9) expect(dropped['retry_time_exceeded']).toBeUndefined();
  if (!told.isCutShort) expect(dropped['shutdown']).toBeUndefined();
  if (pushed <= maxEntries) expect(dropped['queue_full']).toBeUndefined();
}

test('whatever is pushed and answered, every event is received at least once or counted as dropped once', async () => {
  const server = await serve();
  await fc.assert(
    fc.asyncProperty(story, (told) => live(told, server)),
    { numRuns: 200 },
  );
});
