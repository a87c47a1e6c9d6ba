import { withTables } from '../../platform/db/handle.ts';
import { INVOICE_NUMBERS } from '../../platform/db/locks.ts';
import type { Scope } from '../../platform/scope.ts';
import type { NumberScope } from './numbers.ts';

interface TablesOfNumbers {
  invoice_counters: { scope: NumberScope; value: number };
}

/**
 * The next number of its kind, from `start` on. Given back when the transaction is: none is missing. So whoever has one keeps others
 * from all of them until it is committed; of two kinds, two could wait for each other.
 */
export function nextNumber(scope: Scope, kind: NumberScope, start = 1): Promise<number> {
  return scope.transaction(
    async (scope) => {
      const { value } = await withTables<TablesOfNumbers>(scope)
        .insertInto('invoice_counters')
        .values({ scope: kind, value: start })
        .onConflict((conflict) =>
          conflict.column('scope').doUpdateSet((eb) => ({
            value: eb
              .case()
              .when('invoice_counters.value', '<', start)
              .then(start)
              .else(eb('invoice_counters.value', '+', 1))
              .end(),
          })),
        )
        .returning('value')
        .executeTakeFirstOrThrow();
      return value;
    },
    [INVOICE_NUMBERS],
  );
}
