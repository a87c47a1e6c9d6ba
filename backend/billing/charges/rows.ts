/** Rows of charges: what the database searches by in columns, everything else as JSON. */
import { toStoredInstant } from '../../platform/instant.ts';
import type { Charge, ChargeContent } from './types.ts';

export interface ChargeRow {
  id: string;
  customer_id: string;
  currency: string;
  reference: string | null;
  controller: 'system' | 'manual';
  state: Charge['state'];
  subscription_id: string | null;
  content: string;
  service_from: string;
  service_to: string;
  billing_from: string;
  invoice_at: string;
  billed_to: string | null;
  issued_at: string | null;
  dropped_at: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export function contentColumns(content: ChargeContent) {
  return {
    currency: content.currency,
    subscription_id: content.subscription?.id ?? null,
    content: JSON.stringify(contentOf(content)),
    service_from: toStoredInstant(content.servicePeriod.fromMs),
    service_to: toStoredInstant(content.servicePeriod.toMs),
    billing_from: toStoredInstant(content.billingPeriod.fromMs),
    invoice_at: toStoredInstant(content.invoiceAtMs),
  };
}

/** The part of a charge that is kept as JSON. */
function contentOf(charge: ChargeContent & { reference?: string }): ChargeContent {
  const {
    id,
    customerId,
    reference,
    controller,
    state,
    billedToMs,
    createdAtMs,
    updatedAtMs,
    deletedAtMs,
    droppedAtMs,
    ...content
  } = charge as Partial<Charge> & ChargeContent;
  return content;
}

export function toRow(charge: Charge): Omit<ChargeRow, 'issued_at'> {
  return {
    id: charge.id,
    customer_id: charge.customerId,
    reference: charge.reference ?? null,
    controller: charge.controller,
    state: charge.state,
    ...contentColumns(charge),
    billed_to: charge.billedToMs === undefined ? null : toStoredInstant(charge.billedToMs),
    created_at: toStoredInstant(charge.createdAtMs),
    updated_at: toStoredInstant(charge.updatedAtMs),
    deleted_at: charge.deletedAtMs === undefined ? null : toStoredInstant(charge.deletedAtMs),
    dropped_at: charge.droppedAtMs === undefined ? null : toStoredInstant(charge.droppedAtMs),
  };
}

export function toCharge(row: ChargeRow): Charge {
  return {
    ...(JSON.parse(row.content) as ChargeContent),
    id: row.id,
    customerId: row.customer_id,
    ...(row.reference !== null && { reference: row.reference }),
    controller: row.controller,
    state: row.state,
    ...(row.billed_to !== null && { billedToMs: Date.parse(row.billed_to) }),
    createdAtMs: Date.parse(row.created_at),
    updatedAtMs: Date.parse(row.updated_at),
    ...(row.deleted_at !== null && { deletedAtMs: Date.parse(row.deleted_at) }),
    ...(row.dropped_at !== null && { droppedAtMs: Date.parse(row.dropped_at) }),
  };
}
