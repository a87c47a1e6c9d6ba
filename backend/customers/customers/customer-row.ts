import { fromStoredInstant, toStoredInstant } from '../../platform/instant.ts';
import type { Customer, UpsertCustomer } from './schema.ts';

/** A row of the table `customers`. */
export interface CustomerRow {
  id: string;
  key: string;
  name: string;
  description: string | null;
  labels: string | null;
  primary_email: string | null;
  currency: string | null;
  billing_address: string | null;
  has_usage_attribution: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export function toRow(customer: Customer): CustomerRow {
  return {
    id: customer.id,
    key: customer.key,
    ...toChangeableColumns(customer),
    created_at: toStoredInstant(customer.created_at),
    updated_at: toStoredInstant(customer.updated_at),
    deleted_at: customer.deleted_at === undefined ? null : toStoredInstant(customer.deleted_at),
  };
}

/** The columns that an update replaces; what the client leaves out becomes empty. */
export function toChangeableColumns(values: UpsertCustomer) {
  return {
    name: values.name,
    description: values.description ?? null,
    labels: toJson(values.labels),
    primary_email: values.primary_email ?? null,
    currency: values.currency ?? null,
    billing_address: toJson(values.billing_address),
    has_usage_attribution: values.usage_attribution === undefined ? 0 : 1,
  };
}

/** @param rows the customer joined with its subject keys in their order; one row with null when it has none */
export function toCustomer(rows: readonly (CustomerRow & { subject_key: string | null })[]): Customer {
  const [row] = rows;
  if (row === undefined) throw new Error('a customer has at least one row');
  const subjectKeys = rows.map(({ subject_key }) => subject_key).filter((key) => key !== null);
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    ...(row.labels !== null && { labels: JSON.parse(row.labels) as Customer['labels'] }),
    ...(row.has_usage_attribution === 1 && { usage_attribution: { subject_keys: subjectKeys } }),
    ...(row.primary_email !== null && { primary_email: row.primary_email }),
    ...(row.currency !== null && { currency: row.currency }),
    ...(row.billing_address !== null && {
      billing_address: JSON.parse(row.billing_address) as Customer['billing_address'],
    }),
    created_at: fromStoredInstant(row.created_at),
    updated_at: fromStoredInstant(row.updated_at),
    ...(row.deleted_at !== null && { deleted_at: fromStoredInstant(row.deleted_at) }),
  };
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
