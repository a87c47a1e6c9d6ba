import type { Features, FeatureUsage } from '../../catalog/features/index.ts';
import type { Customer } from '../../customers/customers/index.ts';
import type { Subscriptions } from '../../customers/subscriptions/index.ts';
import type { Meter } from '../../metering/meters/index.ts';
import type { UsageStore } from '../../metering/usage-store/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ControlDb } from '../../platform/db/control-db.ts';
import type { NewId } from '../../platform/ids.ts';
import type { Currency } from '../../platform/money.ts';
import type { App } from '../apps/index.ts';
import type { StoredProfile } from '../billing-profiles/index.ts';

/**
 * What invoices need of other modules. Functions with a handle are asked inside transactions and must read through it:
 * another handle would wait for that transaction to end, for ever.
 */
export interface InvoicesDeps {
  db: ControlDb;
  clock: Clock;
  newId: NewId;
  /** Why nobody may be billed by the time that it is; undefined: nothing is wrong with it. */
  heldBack(): string | undefined;
  /** A folder with fonts of the operator's, for documents; undefined: there is none. */
  documentFontsDir: string | undefined;
  /** The clock that a customer lives by: its own, or else the given one. */
  clockOf(customerId: string, clock: Clock, db: ControlDb): Promise<Clock>;
  /** Customers who live by a clock of their own: a few hundred at most. */
  onTestClocks(db: ControlDb): Promise<ReadonlySet<string>>;
  /** Deleted customers too. */
  findCustomer(id: string, db: ControlDb): Promise<Customer | undefined>;
  profileOf(customerId: string, db: ControlDb): Promise<StoredProfile>;
  /** One of ISO 4217 or a custom one, with its digits. */
  findCurrency(code: string, db: ControlDb): Promise<Currency | undefined>;
  findApp(id: string, db: ControlDb): Promise<App | undefined>;
  /** The organization's tax code for invoices, and whether it is the one that says nothing. */
  invoicingTaxCode(db: ControlDb): Promise<{ taxCodeId: string; isProviderDefault: boolean }>;
  findFeatures: Features['findByIds'];
  findFeaturesByKey: Features['findByKeys'];
  /** What customers used of features. */
  usage: Pick<FeatureUsage, 'measure' | 'scopeOf'>;
  /** From figures back to their events. */
  tracing: Pick<UsageStore, 'eventsBehind' | 'lateEvents' | 'typesSeen' | 'subjectsSeen'>;
  findMeters(ids: readonly string[], db: ControlDb): Promise<ReadonlyMap<string, Meter>>;
  /** Customers who have or had a subscription, by id, a page at a time. */
  listSubscribers(afterId: string | undefined, limit: number): Promise<string[]>;
  /** What has changed of a customer's subscriptions since that was last noted as followed, deleted ones included. */
  subscriptionChanges: Subscriptions['listChanges'];
  subscriptionChangesFollowed: Subscriptions['changesFollowed'];
  /** The earliest first; deleted and unknown ones are absent. */
  findSubscriptions: Subscriptions['listViews'];
}
