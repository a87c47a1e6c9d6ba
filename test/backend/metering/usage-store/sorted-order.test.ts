import { expect, test } from 'vitest';
import { sortedOrder } from '../../../../backend/metering/usage-store/sqlite/rollup/sorted-order.ts';
import { fc } from '../../../support/property.ts';

const LARGEST = 2 ** 31 - 1;

test('rows come in the order of their columns, equal ones as they stand, however far the numbers lie apart', () => {
  const number = fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: -5, max: 100_000 }),
    fc.constantFrom(-LARGEST, LARGEST),
  );
  const row = fc.tuple(number, number, number, fc.constantFrom('', 'a', 'b'));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), fc.boolean(), (rows, hasValues) => {
      const column = (index: 0 | 1 | 2) => Int32Array.from(rows, (own) => own[index]);
      const value = hasValues ? rows.map((own) => own[3]) : undefined;
      const order = sortedOrder({ bucket: column(0), subject: column(1), dims: column(2), value });
      const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
      const expected = rows
        .map((own, index) => ({ own, index }))
        .sort(({ own: a }, { own: b }) => {
          return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || (hasValues ? compare(a[3], b[3]) : 0);
        });
      expect([...order]).toEqual(expected.map(({ index }) => index));
    }),
  );
});
