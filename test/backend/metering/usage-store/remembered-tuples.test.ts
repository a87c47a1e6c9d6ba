import { expect, test } from 'vitest';
import { rememberTuples } from '../../../../backend/metering/usage-store/series/remembered-tuples.ts';

test('what is known of combinations is bounded in characters, and never wrong', () => {
  let found = 0;
  const MiB = 1024 * 1024;
  const lengthOf = rememberTuples(
    (tuple) => {
      found += 1;
      return `${tuple}`.padEnd(4 * MiB);
    },
    ({ length }) => length,
  );
  const ask = (tuple: number) => expect(lengthOf(tuple).trimEnd()).toBe(`${tuple}`);
  for (const tuple of [1, 2, 3, 4, 1, 2, 3, 4]) ask(tuple);
  expect(found).toBe(4);
  // The fifth takes the place of all of them.
  ask(5);
  ask(1);
  expect(found).toBe(6);
});
