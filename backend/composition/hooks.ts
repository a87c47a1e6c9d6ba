/** Every word that a lower module asks of a higher one. Each is declared by the module that asks; `fill-hooks.ts` answers. */

import type { AppHooks, Connection } from '../billing/apps/index.ts';
import type { CheckStripeData } from '../billing/billing-profiles/index.ts';
import type { InvoiceChange } from '../billing/invoices/index.ts';
import type { FindSubjects } from '../catalog/features/index.ts';
import type { CustomerBlockers } from '../customers/customers/index.ts';
import type { CreditByFeature, FindCredit } from '../customers/entitlements/index.ts';
import type { DomainProblem } from '../platform/errors.ts';
import { createHook } from '../platform/hook.ts';
import type { Scope } from '../platform/scope.ts';

type Blocker = [id: string, scope: Scope];

export function createHooks() {
  return {
    /** What keeps a customer as it is. */
    customers: {
      deletion: createHook<Blocker, DomainProblem>(),
      subjectKeyChange: createHook<Blocker, DomainProblem>(),
      currencyChange: createHook<Blocker, DomainProblem>(),
    } satisfies CustomerBlockers,
    features: {
      /** The subjects of customers, whose usage is asked for. */
      findSubjects: createHook<Parameters<FindSubjects>, Awaited<ReturnType<FindSubjects>>>(),
    },
    subscriptions: {
      /** Why a customer cannot be billed as its profile wants it. */
      billingProblem: createHook<Blocker, string>(),
      /** A customer's subscriptions have changed; it is stored. */
      onChange: createHook<[customerId: string], void>(),
    },
    entitlements: {
      /** What is left of customers' credit. */
      findCredit: createHook<Parameters<FindCredit>, CreditByFeature>(),
    },
    invoices: {
      /** An invoice is made or changed; in the transaction. */
      onInvoice: createHook<[change: InvoiceChange, scope: Scope], void>(),
    },
    /** Billing profiles stand on apps, and an app that is installed brings one along. */
    apps: {
      createProfile: createHook<Parameters<AppHooks['createProfile']>, boolean>(),
      usersOf: createHook<Blocker, string[]>(),
      connect: createHook<Parameters<AppHooks['connect']>, Connection>(),
      disconnect: createHook<[appId: string], void>(),
    } satisfies AppHooks,
    customerBilling: {
      /** What another system has to say of a customer's data for it. */
      checkStripeData: createHook<Parameters<CheckStripeData>, void>(),
    },
  };
}

export type Hooks = ReturnType<typeof createHooks>;
