import { expect, test } from 'vitest';
import { createEventExpiry } from '../../../backend/event-expiry.ts';
import { openStory, usage } from './story.ts';

/** Old events are removed; what billing needs of them is not, and what it cannot count any more holds up nothing. */

test('events that billing still needs are known to be needed', async () => {
  const s = await openStory('2026-01-01T00:07:00Z');
  try {
    expect(await s.backend.billingRuns.usageNeededFromMs()).toBeUndefined();
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.at('2026-01-02T00:00:00Z');
    const begun = Date.parse('2026-01-01T00:07:00Z');
    expect(await s.backend.billingRuns.usageNeededFromMs()).toBe(begun);
    // Billed, and looked at again for late usage.
    await s.at('2026-02-10T00:00:00Z');
    expect(await s.backend.billingRuns.usageNeededFromMs()).toBe(begun);
    for (let month = 3; month <= 12; month++) await s.at(`2026-${String(month).padStart(2, '0')}-10T00:00:00Z`);
    expect(await s.backend.billingRuns.usageNeededFromMs()).toBeGreaterThan(begun);
  } finally {
    await s.close();
  }
});

test('are not removed, however few days are set, until it needs them no more', async () => {
  const s = await openStory('2026-01-01T00:07:00Z');
  try {
    const { usage: store, usageNeededFromMs, clock } = s.backend;
    const expire = createEventExpiry({ usage: store, usageNeededFromMs, clock, days: 1 });
    const removed = async () => {
      let sum = 0;
      for (;;) {
        const step = await expire();
        sum += step.removed;
        if (step.state === 'done') return sum;
      }
    };
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events('2026-01-01T00:08:00Z', 3);
    await s.events('2026-01-20T00:00:00Z', 1);
    await expect.poll(async () => (await store.upkeep()).unfoldedEvents).toBe(0);
    await s.at('2026-01-25T00:00:00Z');
    expect(await removed()).toBe(0);
    await s.at('2026-02-10T00:00:00Z');
    expect(await removed()).toBe(0);
    for (let month = 3; month <= 12; month++) await s.at(`2026-${String(month).padStart(2, '0')}-10T00:00:00Z`);
    // The youngest event stays: the numbering goes on from it.
    expect(await removed()).toBe(3);
  } finally {
    await s.close();
  }
});

test('where they are gone all the same, bills, previews and other recounts go on', async () => {
  const s = await openStory('2026-01-01T00:07:00Z');
  try {
    await s.subscribe(await s.plan('p', [usage('1')]));
    await s.events('2026-01-01T00:08:00Z', 3);
    await s.events('2026-01-20T00:00:00Z', 4);
    await s.at('2026-02-10T00:00:00Z');
    // As a setting of before did it: the first quarter of an hour can only be counted by its events.
    s.backend.clock.set('2026-02-20T00:00:00Z');
    await s.events('2026-02-20T00:00:00Z', 5);
    await expect.poll(async () => (await s.backend.usage.upkeep()).unfoldedEvents).toBe(0);
    while ((await s.backend.usage.expire(Date.parse('2026-01-25T00:00:00Z'))).state !== 'done');
    expect((await s.preview()).totals.total).toBe('5');
    s.backend.clock.set('2026-03-10T00:00:00Z');
    await s.backend.billingRuns.runner.request({ isFull: true, startedBy: 'schedule' });
    await s.backend.billingRuns.runner.work();
    expect((await s.ok('GET', '/billing/runs?page[size]=1')).data[0]).toMatchObject({ stage: 'finished', failed: 1 });
    expect(await s.bills()).toHaveLength(2);
    await s.ok('GET', `/customers/${s.customer.id}/billing-corrections`);
  } finally {
    await s.close();
  }
});
