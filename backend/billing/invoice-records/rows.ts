/** Rows of invoices and lines: what the database searches by in columns, everything else as JSON. */
import { toStoredInstant } from '../../platform/instant.ts';
import { type ExtendedStatus, statusOf } from './states.ts';
import type { Invoice, InvoiceLine } from './types.ts';

export interface InvoiceRow {
  id: string;
  customer_id: string;
  currency: string;
  number: string;
  status: string;
  short_status: string;
  version: number;
  profile_id: string;
  app_id: string;
  content: string;
  total: string;
  service_from: string;
  service_to: string;
  collection_at: string | null;
  draft_until: string | null;
  issued_at: string | null;
  due_at: string | null;
  wake_at: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export interface LineRow {
  id: string;
  invoice_id: string;
  position: number;
  charge_id: string | null;
  content: string;
  service_from: string;
  service_to: string;
  quantity: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

const stored = (atMs: number | undefined) => (atMs === undefined ? null : toStoredInstant(atMs));

export function toInvoiceRow(invoice: Invoice, wakeAtMs: number | undefined): InvoiceRow {
  const { id, customerId, currency, number, status, version, profileId, appId, ...content } = invoice;
  return {
    id,
    customer_id: customerId,
    currency,
    number,
    status,
    short_status: statusOf(status),
    version,
    profile_id: profileId,
    app_id: appId,
    content: JSON.stringify(content),
    total: invoice.totals.total,
    service_from: toStoredInstant(invoice.servicePeriod.fromMs),
    service_to: toStoredInstant(invoice.servicePeriod.toMs),
    collection_at: stored(invoice.collectionAtMs),
    draft_until: stored(invoice.draftUntilMs),
    issued_at: stored(invoice.issuedAtMs),
    due_at: stored(invoice.dueAtMs),
    wake_at: stored(wakeAtMs),
    created_at: toStoredInstant(invoice.createdAtMs),
    updated_at: toStoredInstant(invoice.updatedAtMs),
    deleted_at: stored(invoice.deletedAtMs),
  };
}

export function toInvoice(row: InvoiceRow): Invoice {
  return {
    ...(JSON.parse(row.content) as Invoice),
    id: row.id,
    customerId: row.customer_id,
    currency: row.currency,
    number: row.number,
    status: row.status as ExtendedStatus,
    version: row.version,
    profileId: row.profile_id,
    appId: row.app_id,
  };
}

export function toLineRow(line: InvoiceLine): LineRow {
  const { id, invoiceId, position, chargeId, ...content } = line;
  return {
    id,
    invoice_id: invoiceId,
    position,
    charge_id: chargeId ?? null,
    content: JSON.stringify(content),
    service_from: toStoredInstant(line.servicePeriod.fromMs),
    service_to: toStoredInstant(line.servicePeriod.toMs),
    quantity: line.quantity ?? null,
    created_at: toStoredInstant(line.createdAtMs),
    updated_at: toStoredInstant(line.updatedAtMs),
    deleted_at: stored(line.deletedAtMs),
  };
}

export function toLine(row: LineRow): InvoiceLine {
  return {
    ...(JSON.parse(row.content) as InvoiceLine),
    id: row.id,
    invoiceId: row.invoice_id,
    position: row.position,
    ...(row.charge_id !== null && { chargeId: row.charge_id }),
  };
}
