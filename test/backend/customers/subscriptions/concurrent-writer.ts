import { createAddons } from '../../../../backend/catalog/addons/index.ts';
import { createPlans, plansBlockAddonDeletion } from '../../../../backend/catalog/plans/index.ts';
import { createSubscriptionAddonService } from '../../../../backend/customers/subscriptions/addon-service.ts';
import { createEndService } from '../../../../backend/customers/subscriptions/end-service.ts';
import { subscriptionRepository } from '../../../../backend/customers/subscriptions/repository.ts';
import { createStartService } from '../../../../backend/customers/subscriptions/start-service.ts';
import { systemClock } from '../../../../backend/platform/clock.ts';
import { DomainProblem, RequestProblem } from '../../../../backend/platform/errors.ts';
import { openControlPlane } from '../../../support/control-engine.ts';
import { testScope } from '../../../support/scope.ts';

/**
 * node concurrent-writer.ts FOLDER SEED COUNT CUSTOMER ADDON PLAN…: COUNT random changes of the customer's subscriptions,
 * a line "done" after each one. Refusals are part of it; anything else ends the process.
 */
const [folder = '', seed = '1', count = '1', customerId = '', addonId = '', ...planIds] = process.argv.slice(2);
const db = await openControlPlane(folder);
const clock = systemClock;
const scope = testScope(db, clock);
const nothing = async () => new Map();
const lookups = { features: nothing, currencies: nothing, taxCodes: async () => new Set<string>() };
const addons = createAddons({ scope, lookups, blocksDeletion: plansBlockAddonDeletion });
const plans = createPlans({ scope, lookups, findAddons: addons.findByIds });
const deps = { scope, plans, addons, lookups };
const service = { ...createStartService(deps), ...createEndService(deps) };
const bought = createSubscriptionAddonService(deps);

let state = Number.parseInt(seed, 10);
/** A whole number below the limit; the same for the same seed. */
function below(limit: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return (state >>> 8) % limit;
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
const timing = () => pick(['immediate', 'next_billing_cycle']);
const terms = () => ({
  customer: { id: customerId },
  plan: { id: pick(planIds) },
  cost_basis_mode: 'dynamic' as const,
});

async function changeSomething(): Promise<void> {
  const known = await subscriptionRepository(db).ofCustomer(customerId, clock.nowMs());
  if (known.length === 0) {
    await service.create({ ...terms(), timing: 'immediate' });
    return;
  }
  const { id, addons: own } = pick(known);
  const [addon] = own;
  const actions: (() => Promise<unknown>)[] = [
    () => service.cancel(id, timing()),
    () => service.continue(id),
    () => service.restore(id),
    () => service.unschedule(id),
    () => service.change(id, { ...terms(), timing: timing() }),
    () => service.create({ ...terms(), timing: 'immediate' }),
    () =>
      addon === undefined
        ? bought.create(id, { addon: { id: addonId }, quantity: 1 + below(3), timing: timing() })
        : bought.update(id, addon.id, { quantity: below(4), timing: timing() }),
  ];
  await pick(actions)();
}

console.log('ready');
for (let done = 0; done < Number.parseInt(count, 10); done++) {
  const outcome = await changeSomething().then(
    () => 'changed',
    (error: unknown) => {
      if (error instanceof DomainProblem || error instanceof RequestProblem) return error.kind;
      throw error;
    },
  );
  console.log(`done ${outcome}`);
}
await db.close();
