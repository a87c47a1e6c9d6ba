import { describe, expect, test } from 'vitest';
import { readDeliveryHeaders } from '../../../backend/metering/events/gateway-delivery.ts';
import { defaultNode, NODE_NAME, newProcessId } from '../../../delivery/names.ts';
import { MAX_RANGES } from '../../../delivery/numbering.ts';
import { deliveryHeaders } from '../../../plugin/delivery/delivery-headers.ts';
import { createHeldEntries } from '../../../plugin/delivery/held-entries.ts';
import { createNumberRanges } from '../../../plugin/delivery/number-ranges.ts';
import { createOrigin, tokenTag } from '../../../plugin/delivery/origin.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { fc } from '../../support/property.ts';

test('ranges of numbers are the set that was added, in as few ranges as can be', () => {
  const additions = fc.array(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 0, max: 8 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(additions, (added) => {
      const ranges = createNumberRanges();
      const model = new Set<number>();
      for (const [first, length] of added) {
        ranges.add(first, first + length);
        for (let number = first; number <= first + length; number++) model.add(number);
      }
      for (let number = 0; number < 140; number++) expect(ranges.has(number)).toBe(model.has(number));
      const listed = ranges.list();
      expect(
        listed.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index)),
      ).toEqual([...model].toSorted((a, b) => a - b));
      for (const [index, [first]] of listed.entries()) {
        if (index > 0) expect(first).toBeGreaterThan((listed[index - 1]?.[1] ?? 0) + 1);
      }
      expect(ranges.count).toBe(listed.length);
      expect(createNumberRanges(listed).list()).toEqual(listed);
    }),
  );
});

describe('the headers of a batch', () => {
  /** As the backend reads them, from a request that has these. */
  const read = (headers: Record<string, string>) =>
    readDeliveryHeaders({ req: { header: (name: string) => headers[name.toLowerCase()] } } as never);
  const origin = { node: 'gw-1', process: 'p-1', taken: 60, dropped: () => ({ queue_full: 3, no_subject: 1 }) };

  test('say what the backend reads', () => {
    expect(deliveryHeaders(origin, [1, 2, 3, 7, 9, 10])).toEqual({
      'metering-node': 'gw-1',
      'metering-process': 'p-1',
      'metering-sequence': '1-3,7,9-10',
      'metering-taken': '60',
      'metering-dropped': 'queue_full=3,no_subject=1',
    });
    const outcomes = { metered: 60, no_subject: 2, status_not_allowed: 1 };
    const account = { id: '0mabc-12', revision: 7, served: 64, outcomes, unexplained: 1 };
    expect(read(deliveryHeaders({ ...origin, account }, [1]))).toMatchObject({
      requests: {
        account: '0mabc-12',
        revision: 7,
        served: 64,
        metered: 60,
        notMetered: { no_subject: 2, status_not_allowed: 1 },
        unexplained: 1,
      },
    });
  });

  test('of any batch are read by the backend as they were meant, and never refused', () => {
    const reason = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), fc.string({ maxLength: 64 }));
    const dropped = fc.dictionary(reason, fc.integer({ min: 1, max: 1_000_000 }), { maxKeys: 80 });
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { maxLength: 300 });
    fc.assert(
      fc.property(numbers, dropped, (given, counts) => {
        // A batch is what a store hands out.
        const held = createHeldEntries({ maxEntries: 1000, maxBytes: Infinity });
        const text = { chunk: Buffer.alloc(0), start: 0, bytes: 0 };
        for (const number of given) held.pushBack({ ...text, queuedAt: 0, number, isReadBack: false });
        const batch = held.take(300, Infinity).map(({ number }) => number);
        if (given.length > 0) expect(batch.length).toBeGreaterThan(0);
        const headers = deliveryHeaders({ ...origin, dropped: () => counts }, batch);
        const delivery = read(headers);
        const arrived = delivery?.ranges.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        );
        expect(arrived).toEqual(batch);
        expect(delivery?.ranges.length).toBeLessThanOrEqual(MAX_RANGES);
        const sum = (values: Record<string, number>) =>
          Object.values(values).reduce((total, count) => total + count, 0);
        expect(sum({ ...delivery?.dropped })).toBe(sum(counts));
      }),
    );
  });

  test('a batch without events has no sequence', () => {
    expect(read(deliveryHeaders(origin, []))).toMatchObject({ ranges: [], taken: 60, dropped: { queue_full: 3 } });
  });
});

describe('an origin', () => {
  test('numbers from 1 without gaps, and says how far it is', () => {
    const origin = createOrigin({ node: 'n', process: 'p' }, () => ({}));
    expect([origin.taken, origin.next(), origin.next(), origin.next(), origin.taken]).toEqual([0, 1, 2, 3, 3]);
  });

  test('has a name that no other process has, and that sorts by time', () => {
    const clock = createManualClock();
    const first = newProcessId(clock);
    expect(newProcessId(clock)).not.toBe(first);
    clock.advance(1);
    expect(newProcessId(clock) > first).toBe(true);
    expect(first).toMatch(NODE_NAME);
    expect(defaultNode()).toMatch(NODE_NAME);
  });

  test('has a tag of its token that tells tokens apart, and is no way to confirm one', () => {
    const tags = new Set(Array.from({ length: 100_000 }, (_, index) => tokenTag('p', `token ${index}`)));
    expect(tags.size).toBe(4096);
    expect(tokenTag('p', 'token')).toBe(tokenTag('p', 'token'));
    expect(new Set(Array.from({ length: 50 }, (_, index) => tokenTag(`p${index}`, 'token'))).size).toBeGreaterThan(40);
  });
});
