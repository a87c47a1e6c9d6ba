import type { Features } from '../../catalog/features/index.ts';
import type { TaxCodes } from '../../catalog/tax-codes/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
import type { RunningCharge } from './live.ts';

/** What credits need of others. What is given a scope reads through it. */
export interface CreditsDeps {
  /** Deleted customers too. */
  findCustomer(id: string, scope: Scope): Promise<Customer | undefined>;
  /** One of ISO 4217 or a custom one, with its digits. */
  findCurrency(code: string, scope: Scope): Promise<Currency | undefined>;
  /** Archived ones too; unknown keys are absent. */
  findFeaturesByKey: Features['findByKeys'];
  /** Charges for credit that is bought by invoice, in the transaction that makes the grant. @returns the charge */
  orderCredit(
    scope: CustomerScope,
    order: {
      name: string;
      amount: string;
      currency: string;
      taxConfig: { behavior?: 'inclusive' | 'exclusive'; taxCodeId?: string } | undefined;
    },
  ): Promise<string>;
  /** Invoices what is due. What fails is not lost. */
  billNow(customerId: string): Promise<void>;
  /** What runs and is on no invoice yet, by currency. It reads usage: never within a transaction. */
  runningCharges(scope: CustomerScope): Promise<ReadonlyMap<string, readonly RunningCharge[]>>;
  /** Deleted ones too; unknown ids are absent. */
  findTaxCodes: TaxCodes['findByIds'];
}
