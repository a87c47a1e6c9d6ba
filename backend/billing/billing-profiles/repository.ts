import { sql } from 'kysely';
import { type DbHandle, withTables } from '../../platform/db/handle.ts';
import type { PageRequest } from '../../platform/http/paging.ts';
import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { CustomerDocumentSettings, DocumentSettings, Numbering } from './document-schema.ts';
import type { AdjustmentSettings, AppData, BillingProfile, CustomerBilling, UpsertProfile } from './schema.ts';

interface ProfileRow {
  id: string;
  name: string;
  description: string | null;
  labels: string | null;
  supplier: string;
  workflow: string;
  adjustments: string;
  document: string;
  logo: string | null;
  numbering: string | null;
  app_id: string;
  is_default: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

interface CustomerBillingRow {
  customer_id: string;
  billing_profile_id: string | null;
  app_data: string | null;
  stripe_customer_id: string | null;
  document: string;
  created_at: string;
  updated_at: string;
}

interface TablesOfProfiles {
  billing_profiles: ProfileRow;
  customer_billing: CustomerBillingRow;
}

/** A profile with what answers do not carry. */
export interface StoredProfile {
  profile: BillingProfile;
  adjustments: AdjustmentSettings;
  document: Omit<DocumentSettings, 'logo'>;
  /** undefined: as the app numbers. */
  numbering: Numbering | undefined;
}

/**
 * The profile that bills a customer, as an SQL expression over the table `customers`: its own, or else the default one.
 * For the filter of the list of customers.
 */
export const PROFILE_OF_CUSTOMER_SQL =
  'coalesce((SELECT own.billing_profile_id FROM customer_billing AS own WHERE own.customer_id = customers.id), ' +
  '(SELECT id FROM billing_profiles WHERE is_default = 1 AND deleted_at IS NULL))';

interface TablesOfProfiles {
  billing_profiles: ProfileRow;
  customer_billing: CustomerBillingRow;
}
type Tables = ReturnType<typeof withTables<TablesOfProfiles>>;

/** Billing profiles, and which customers have one of their own. A handle lives as long as its transaction. */
export function profileRepository(db: DbHandle) {
  const tables = withTables<TablesOfProfiles>(db);
  const living = tables.selectFrom('billing_profiles').where('deleted_at', 'is', null);
  const changeable = (values: UpsertProfile) => ({
    name: values.name,
    description: values.description ?? null,
    labels: values.labels === undefined ? null : JSON.stringify(values.labels),
    supplier: JSON.stringify(values.supplier),
    workflow: JSON.stringify(values.workflow),
  });
  return {
    ...documentsOf(tables),
    ...customersOf(tables),
    insert: async (
      profile: UpsertProfile & { id: string; appId: string; adjustments: AdjustmentSettings; createdAtMs: number },
    ): Promise<void> => {
      const at = toStoredInstant(profile.createdAtMs);
      const row = {
        ...changeable(profile),
        id: profile.id,
        adjustments: JSON.stringify(profile.adjustments),
        app_id: profile.appId,
        document: '{}',
        logo: null,
        numbering: null,
        is_default: 0,
        created_at: at,
        updated_at: at,
        deleted_at: null,
      };
      await tables.insertInto('billing_profiles').values(row).execute();
    },
    replace: async (id: string, values: UpsertProfile, updatedAtMs: number): Promise<void> => {
      const columns = { ...changeable(values), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('billing_profiles').set(columns).where('id', '=', id).execute();
    },
    replaceAdjustments: async (id: string, settings: AdjustmentSettings, updatedAtMs: number): Promise<void> => {
      const columns = { adjustments: JSON.stringify(settings), updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('billing_profiles').set(columns).where('id', '=', id).execute();
    },
    /** Makes it the only default. */
    makeDefault: async (id: string): Promise<void> => {
      await tables.updateTable('billing_profiles').set({ is_default: 0 }).where('is_default', '=', 1).execute();
      await tables.updateTable('billing_profiles').set({ is_default: 1 }).where('id', '=', id).execute();
    },
    markDeleted: async (id: string, deletedAtMs: number): Promise<void> => {
      const at = toStoredInstant(deletedAtMs);
      await tables
        .updateTable('billing_profiles')
        .set({ deleted_at: at, updated_at: at })
        .where('id', '=', id)
        .execute();
    },
    /** Deleted ones too. */
    byId: async (id: string): Promise<StoredProfile | undefined> => {
      const row = await tables.selectFrom('billing_profiles').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toProfile(row);
    },
    theDefault: async (): Promise<StoredProfile> =>
      toProfile(await living.selectAll().where('is_default', '=', sql.lit(1)).executeTakeFirstOrThrow()),
    page: async (page: PageRequest): Promise<{ profiles: BillingProfile[]; total: number }> => {
      const { total } = await living.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await living
        .selectAll()
        .orderBy('id')
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      return { profiles: rows.map((row) => toProfile(row).profile), total: Number(total) };
    },
    byApp: async (appId: string): Promise<BillingProfile[]> =>
      (await living.selectAll().where('app_id', '=', appId).execute()).map((row) => toProfile(row).profile),
  };
}

/** What customers have of their own. */
function customersOf(tables: ReturnType<typeof withTables<TablesOfProfiles>>) {
  return {
    /** Customers that have the profile as their own: the first few and their number. */
    pinnedCustomers: async (profileId: string, limit: number): Promise<{ ids: string[]; total: number }> => {
      const own = tables.selectFrom('customer_billing').where('billing_profile_id', '=', profileId);
      const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const rows = await own.select('customer_id').orderBy('customer_id').limit(limit).execute();
      return { ids: rows.map((row) => row.customer_id), total: Number(total) };
    },
    ...ofCustomers(tables),
  };
}

/** What customers have of their own. */
function ofCustomers(tables: Tables) {
  return {
    customerBilling: async (customerId: string): Promise<CustomerBilling | undefined> => {
      const row = await tables
        .selectFrom('customer_billing')
        .selectAll()
        .where('customer_id', '=', customerId)
        .executeTakeFirst();
      return row && toCustomerBilling(row);
    },
    /** The customer that a customer of Stripe is linked to. */
    byStripeCustomer: async (stripeCustomerId: string): Promise<string | undefined> => {
      const own = tables.selectFrom('customer_billing').select('customer_id');
      return (await own.where('stripe_customer_id', '=', stripeCustomerId).executeTakeFirst())?.customer_id;
    },
    saveCustomerBilling: async (customerId: string, billing: CustomerBilling, atMs: number): Promise<void> => {
      const at = toStoredInstant(atMs);
      const columns = {
        billing_profile_id: billing.billing_profile?.id ?? null,
        app_data: billing.app_data === undefined ? null : JSON.stringify(billing.app_data),
        stripe_customer_id: billing.app_data?.stripe?.customer_id ?? null,
        updated_at: at,
      };
      await tables
        .insertInto('customer_billing')
        .values({ customer_id: customerId, document: '{}', created_at: at, ...columns })
        .onConflict((conflict) => conflict.column('customer_id').doUpdateSet(columns))
        .execute();
    },
  };
}

/** What documents say of suppliers and customers, and how invoices are numbered. */
function documentsOf(tables: ReturnType<typeof withTables<TablesOfProfiles>>) {
  return {
    documentSettings: async (id: string): Promise<DocumentSettings> => {
      const own = tables.selectFrom('billing_profiles').select(['document', 'logo']).where('id', '=', id);
      const { document, logo } = await own.executeTakeFirstOrThrow();
      return { ...(JSON.parse(document) as DocumentSettings), ...(logo !== null && { logo }) };
    },
    replaceDocumentSettings: async (
      id: string,
      { logo, ...settings }: DocumentSettings,
      updatedAtMs: number,
    ): Promise<void> => {
      const columns = {
        document: JSON.stringify(settings),
        logo: logo ?? null,
        updated_at: toStoredInstant(updatedAtMs),
      };
      await tables.updateTable('billing_profiles').set(columns).where('id', '=', id).execute();
    },
    replaceNumbering: async (id: string, numbering: Numbering | undefined, updatedAtMs: number): Promise<void> => {
      const text = numbering === undefined ? null : JSON.stringify(numbering);
      const columns = { numbering: text, updated_at: toStoredInstant(updatedAtMs) };
      await tables.updateTable('billing_profiles').set(columns).where('id', '=', id).execute();
    },
    customerDocumentSettings: async (customerId: string): Promise<CustomerDocumentSettings> => {
      const own = tables.selectFrom('customer_billing').select('document').where('customer_id', '=', customerId);
      const row = await own.executeTakeFirst();
      return row === undefined ? {} : (JSON.parse(row.document) as CustomerDocumentSettings);
    },
    saveCustomerDocumentSettings: async (
      customerId: string,
      settings: CustomerDocumentSettings,
      atMs: number,
    ): Promise<void> => {
      const at = toStoredInstant(atMs);
      const columns = { document: JSON.stringify(settings), updated_at: at };
      await tables
        .insertInto('customer_billing')
        .values({
          customer_id: customerId,
          billing_profile_id: null,
          app_data: null,
          stripe_customer_id: null,
          created_at: at,
          ...columns,
        })
        .onConflict((conflict) => conflict.column('customer_id').doUpdateSet(columns))
        .execute();
    },
  };
}

function toCustomerBilling(row: CustomerBillingRow): CustomerBilling {
  return {
    ...(row.billing_profile_id !== null && { billing_profile: { id: row.billing_profile_id } }),
    ...(row.app_data !== null && { app_data: JSON.parse(row.app_data) as AppData }),
  };
}

function toProfile(row: ProfileRow): StoredProfile {
  const app = { id: row.app_id };
  const profile: BillingProfile = {
    id: row.id,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as BillingProfile['labels'] }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
    supplier: JSON.parse(row.supplier) as BillingProfile['supplier'],
    workflow: JSON.parse(row.workflow) as BillingProfile['workflow'],
    apps: { tax: app, invoicing: app, payment: app },
    default: row.is_default === 1,
  };
  return {
    profile,
    adjustments: JSON.parse(row.adjustments) as AdjustmentSettings,
    document: JSON.parse(row.document) as DocumentSettings,
    numbering: row.numbering === null ? undefined : (JSON.parse(row.numbering) as Numbering),
  };
}
