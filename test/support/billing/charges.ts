import { create, type Json } from '../answers.ts';
import type { TestBackend } from '../backend.ts';

export function flatCharge(amount: string, invoiceAt: string, fields: Record<string, unknown> = {}) {
  return {
    type: 'flat_fee',
    name: 'Fee',
    currency: 'USD',
    invoice_at: invoiceAt,
    service_period: { from: invoiceAt, to: invoiceAt },
    settlement_mode: 'credit_then_invoice',
    payment_term: 'in_advance',
    proration_configuration: { mode: 'no_proration' },
    amount_before_proration: { amount, currency: 'USD' },
    ...fields,
  };
}

export function usageCharge(featureId: string, from: string, to: string, fields: Record<string, unknown> = {}) {
  return {
    type: 'usage_based',
    name: 'Usage',
    currency: 'USD',
    invoice_at: to,
    service_period: { from, to },
    settlement_mode: 'credit_then_invoice',
    feature_id: featureId,
    price: { type: 'unit', amount: '0.5' },
    ...fields,
  };
}

export const createCharge = (t: TestBackend, customerId: string, charge: unknown): Promise<Json> =>
  create(t, `/customers/${customerId}/charges`, charge);
