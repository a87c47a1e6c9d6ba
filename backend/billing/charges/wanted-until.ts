import type { SubscriptionView } from '../../customers/subscriptions/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { Currency } from '../../platform/money.ts';
import { currencyOf } from './currency-of.ts';
import type { ChargesDeps } from './deps.ts';
import type { WantedCharge } from './types.ts';
import { currencyCodesOf, wantedCharges } from './wanted.ts';

/** What a subscription asks for up to an instant, as the customer's profile has it. */
export async function wantedUntil(
  deps: ChargesDeps,
  scope: CustomerScope,
  subscription: SubscriptionView,
  untilMs: number,
): Promise<WantedCharge[]> {
  const { profile } = await deps.profileOf(subscription.customerId, scope);
  const endProrationMode = profile.workflow.invoicing.subscription_end_proration_mode;
  const currencies = new Map<string, Currency>();
  for (const code of currencyCodesOf(subscription)) currencies.set(code, await currencyOf(deps, code, scope));
  return wantedCharges(subscription, { untilMs, endProrationMode, currencies });
}
