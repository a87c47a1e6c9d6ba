import { customerLock, type Locks, READING } from '../../platform/db/locks.ts';
import { atTime, type Scope } from '../../platform/scope.ts';
import { type NowByCustomer, testClockRepository } from './repository.ts';

/**
 * Work for one customer, by the customer's time: the real one or, for a sandbox customer, a clock that stands at its own
 * now. Whatever depends on time (status, periods, balances, due dates) runs in one; what asks for it by type cannot be
 * given another time by mistake. Its transactions keep others from the customer.
 */
export interface CustomerScope extends Scope {
  readonly customerId: string;
  transaction<T>(work: (scope: CustomerScope) => Promise<T>, locks?: Locks): Promise<T>;
}

/** Opens work for a customer; the clock is read anew for each request or job. Unknown customers live by the real time. */
export async function customerScope(scope: Scope, customerId: string): Promise<CustomerScope> {
  const own = await testClockRepository(scope).byCustomer(customerId);
  if (own === undefined) return ofCustomer(scope, customerId);
  const { nowMs } = own;
  return ofCustomer(atTime(scope, { nowMs: () => nowMs }), customerId);
}

function ofCustomer(scope: Scope, customerId: string): CustomerScope {
  const lock = customerLock(customerId);
  const withOwn = (locks: Locks = []): Locks => (locks === READING ? READING : [lock, ...locks]);
  return {
    ...scope,
    customerId,
    transaction: (work, locks) => scope.transaction((own) => work(ofCustomer(own, customerId)), withOwn(locks)),
  };
}

/** Now for every customer: for lists and jobs over all of them. */
export async function nowByCustomer(scope: Scope): Promise<NowByCustomer> {
  const clocks = await testClockRepository(scope).all();
  const ofTestClocks = new Map(clocks.map(({ customerId, nowMs }) => [customerId, nowMs]));
  const realMs = scope.clock.nowMs();
  return { realMs, ofTestClocks, of: (customerId) => ofTestClocks.get(customerId) ?? realMs };
}
