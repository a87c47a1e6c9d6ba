import { describe, expect, test } from 'vitest';
import { parseRetryAfterMs, retryDelayMs } from '../../../delivery/retry-delay.ts';
import { isTokenRefused, verdictOf } from '../../../delivery/verdict.ts';
import type { Entry } from '../../../plugin/delivery/event-store.ts';
import { createMemoryStore } from '../../../plugin/delivery/memory-store.ts';
import { createRing } from '../../../plugin/delivery/ring.ts';
import { arrayOf, createTexts, stringOf } from '../../../plugin/delivery/texts.ts';
import { fc } from '../../support/property.ts';

describe('verdicts', () => {
  test('every status has the one that is expected of it', () => {
    const statuses = Array.from({ length: 500 }, (_, index) => index + 100);
    const withVerdict = (wanted: string) =>
      statuses.filter((status) => verdictOf({ kind: 'status', status }) === wanted);
    expect(withVerdict('delivered')).toEqual(statuses.filter((status) => status >= 200 && status < 300));
    expect(withVerdict('split')).toEqual([400, 413, 422]);
    expect(withVerdict('retry')).toHaveLength(500 - 100 - 3);
    expect(verdictOf({ kind: 'failure', code: 'ECONNRESET', message: '' })).toBe('retry');
  });

  test('only 401 and 403 are about the token', () => {
    const refused = [400, 401, 402, 403, 404, 407].filter((status) => isTokenRefused({ kind: 'status', status }));
    expect(refused).toEqual([401, 403]);
  });
});

describe('the pause before a retry', () => {
  const delay = { min: 0, max: 1e9 };

  test('lies between what was asked for and the exponential ceiling, and never past the maximum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ ...delay, noNaN: true }),
        fc.double({ ...delay, noNaN: true }),
        fc.option(fc.integer(delay), { nil: undefined }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failedAttempts, initialRetryDelayMs, maxRetryDelayMs, retryAfterMs, drawn) => {
          const input = { failedAttempts, initialRetryDelayMs, maxRetryDelayMs, retryAfterMs, random: () => drawn };
          const pauseMs = retryDelayMs(input);
          const asked = Math.min(retryAfterMs ?? 0, maxRetryDelayMs);
          expect(pauseMs).toBeLessThanOrEqual(maxRetryDelayMs);
          expect(pauseMs).toBeGreaterThanOrEqual(asked);
          expect(pauseMs).toBeLessThanOrEqual(
            Math.max(asked, initialRetryDelayMs * 2 ** Math.min(failedAttempts - 1, 60)),
          );
        },
      ),
    );
  });

  const now = Date.parse('2026-11-21T12:00:00Z');
  test.each([
    [undefined, undefined, undefined],
    ['0', undefined, 0],
    [' 120 ', undefined, 120_000],
    ['-5', undefined, undefined],
    ['1.5', undefined, undefined],
    ['99999999999999999999', undefined, undefined],
    ['tomorrow', undefined, undefined],
    ['', undefined, undefined],
    ['Sat, 21 Nov 2026 12:00:30 GMT', undefined, 30_000],
    ['Sat, 21 Nov 2026 11:59:30 GMT', undefined, 0],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 'Sat, 21 Nov 2026 12:00:20 GMT', 10_000],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 'no date', 30_000],
  ])('Retry-After %j with Date %j is %j ms', (retryAfter, date, expected) => {
    expect(parseRetryAfterMs(retryAfter, date, now)).toBe(expected);
  });
});

test('the ring is a queue with two ends, whatever is done to it', () => {
  const operations = fc.array(fc.constantFrom('back', 'front', 'take', 'take all'), { maxLength: 400 });
  fc.assert(
    fc.property(operations, (sequence) => {
      const ring = createRing<number>();
      const model: number[] = [];
      for (const [value, operation] of sequence.entries()) {
        if (operation === 'back') {
          ring.pushBack(value);
          model.push(value);
        } else if (operation === 'front') {
          ring.pushFront(value);
          model.unshift(value);
        } else {
          const times = operation === 'take' ? 1 : model.length;
          for (let left = times; left > 0; left--) expect(ring.takeFirst()).toBe(model.shift());
        }
        expect(ring.size).toBe(model.length);
        expect(ring.first()).toBe(model[0]);
      }
    }),
  );
});

test('a ring that held many keeps order through growing, wrapping and being emptied', () => {
  const ring = createRing<number>();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 5; round++) {
    for (let count = 0; count < 50_000; count++) ring.pushBack(next++);
    for (let count = round === 4 ? ring.size : 30_000 + round; count > 0; count--)
      expect(ring.takeFirst()).toBe(expected++);
  }
  expect(ring.takeFirst()).toBeUndefined();
  ring.pushFront(1);
  ring.pushFront(0);
  expect([ring.takeFirst(), ring.takeFirst(), ring.size]).toEqual([0, 1, 0]);
});

const ORIGIN = { node: 'node', process: 'process', taken: 0, dropped: () => ({}) };

const storeStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ push: fc.string({ unit: 'grapheme', maxLength: 12 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ take: fc.integer({ min: 1, max: 6 }), mostBytes: fc.integer({ min: 1, max: 60 }) }),
  },
  fc.record({ end: fc.constantFrom('settle' as const, 'giveBack' as const) }),
);

interface Plain {
  readonly id: string;
  readonly json: string;
}

const bytesOf = (entries: readonly Plain[]) => entries.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
/** An event's number is that of its step, counted from 1. */
const plain = (entry: Entry): Plain => ({ id: `e${entry.number - 1}`, json: stringOf(entry) });
const idsOf = (entries: readonly Plain[]) => entries.map(({ id }) => id);

/** The same on plain arrays, which count everything anew each time. */
function createModel({ maxEntries, maxBytes }: { maxEntries: number; maxBytes: number }) {
  const waiting: Plain[] = [];
  const flying: Plain[][] = [];
  const lost: string[] = [];
  const fits = (others: readonly Plain[], entry: Plain) =>
    others.length + 1 <= maxEntries && bytesOf(others) + Buffer.byteLength(entry.json) <= maxBytes;
  return {
    waiting,
    flying,
    lost,
    push(entry: Plain) {
      if (!fits(flying.flat(), entry)) return lost.push(entry.id);
      while (!fits([...flying.flat(), ...waiting], entry)) lost.push(...idsOf(waiting.splice(0, 1)));
      return waiting.push(entry);
    },
    take(most: number, mostBytes: number) {
      let count = Math.min(1, waiting.length);
      while (count < Math.min(most, waiting.length) && bytesOf(waiting.slice(0, count + 1)) <= mostBytes) count++;
      flying.push(waiting.splice(0, count));
    },
  };
}

test('the memory store does what plain arrays do, whatever is done to it', async () => {
  const bounds = fc.record({ maxEntries: fc.integer({ min: 1, max: 12 }), maxBytes: fc.integer({ min: 1, max: 120 }) });
  await fc.assert(
    fc.asyncProperty(bounds, fc.array(storeStep, { maxLength: 80 }), async (limits, steps) => {
      const lost: string[] = [];
      const flying: Entry[][] = [];
      const model = createModel(limits);
      const store = createMemoryStore(limits, ORIGIN, (_reason, _count, entry) =>
        lost.push(...(entry ? [plain(entry).id] : [])),
      );
      for (const [index, step] of steps.entries()) {
        if ('push' in step) {
          const event = { id: `e${index}`, json: step.push };
          store.push(event, index + 1, index);
          model.push(event);
        } else if ('take' in step) {
          flying.push(store.take(step.take, step.mostBytes));
          model.take(step.take, step.mostBytes);
        } else {
          store[step.end](flying.shift() ?? []);
          const batch = model.flying.shift() ?? [];
          if (step.end === 'giveBack') model.waiting.unshift(...batch);
        }
        expect(flying.map((batch) => batch.map(plain))).toEqual(model.flying);
        expect(lost).toEqual(model.lost);
        expect(store.waiting).toBe(model.waiting.length);
        expect(store.waitingBytes).toBe(bytesOf(model.waiting));
        const held = [...model.flying.flat(), ...model.waiting];
        expect(store.held).toBe(held.length);
        const share = Math.max(held.length / limits.maxEntries, bytesOf(held) / limits.maxBytes);
        expect(store.isCrowded).toBe(share >= 0.8);
        expect(store.warning).toBe(share >= 0.8 ? 'the queue is 80 % full' : undefined);
        expect(store.first()?.queuedAt).toBe(
          model.waiting[0] === undefined ? undefined : Number.parseInt(model.waiting[0].id.slice(1), 10),
        );
      }
      expect(await store.close()).toBe(model.flying.flat().length + model.waiting.length);
      expect([store.held, store.waiting, store.waitingBytes]).toEqual([0, 0, 0]);
    }),
    { numRuns: 500 },
  );
});

test('texts are the bytes that they were, alone and as the array of any of them', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.integer({ min: 1000, max: 70_000 }).map((length) => 'ü'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.boolean()), { maxLength: 40 }), (given) => {
      const texts = createTexts();
      const kept = given.map(([value, isWanted]) => {
        const json = JSON.stringify(value);
        return { json, isWanted, text: texts.add(json, Buffer.byteLength(json)) };
      });
      expect(kept.map((each) => stringOf(each.text))).toEqual(kept.map(({ json }) => json));
      const wanted = kept.filter(({ isWanted }) => isWanted);
      expect(Buffer.concat(arrayOf(wanted.map((each) => each.text))).toString()).toBe(
        `[${wanted.map(({ json }) => json).join(',')}]`,
      );
    }),
  );
});
