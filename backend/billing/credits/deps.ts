import type { Customer } from '../../customers/customers/index.ts';
import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';

/** What credits need of others. What is given a scope reads through it. */
export interface CreditsDeps {
  /** Deleted customers too. */
  findCustomer(id: string, scope: Scope): Promise<Customer | undefined>;
  /** One of ISO 4217 or a custom one, with its digits. */
  findCurrency(code: string, scope: Scope): Promise<Currency | undefined>;
  /** Which of these keys a feature has or had. */
  knownFeatureKeys(keys: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
  /** Which of these ids a tax code has that is not deleted. */
  knownTaxCodes(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
}
