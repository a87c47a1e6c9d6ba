/** Charges in the shape of the contract. */

import type { Totals } from '../../catalog/rating/index.ts';
import { defined } from '../../platform/defined.ts';
import { formatInstant } from '../../platform/instant.ts';
import { toTextPeriod } from '../../platform/period/index.ts';
import type { Charge, TaxRef } from '../charges/index.ts';
import { toDiscountsBody, toTotalsBody } from '../invoices/index.ts';

export type ChargeStatus = 'created' | 'active' | 'final' | 'deleted';

function chargeStatus(charge: Charge, nowMs: number): ChargeStatus {
  if (charge.state === 'deleted') return 'deleted';
  if (charge.state === 'billed') return 'final';
  return nowMs < charge.servicePeriod.fromMs ? 'created' : 'active';
}

/** @param totals of usage: what stands on invoices, and, where asked for, what it comes to by now */
export function toChargeBody(charge: Charge, nowMs: number, totals: { booked: Totals; realtime?: Totals | undefined }) {
  const { subscription, terms, taxConfig, amount } = charge;
  const common = {
    id: charge.id,
    name: charge.name,
    created_at: formatInstant(charge.createdAtMs),
    updated_at: formatInstant(charge.updatedAtMs),
    customer: { id: charge.customerId },
    lifecycle_controller: charge.controller,
    currency: charge.currency,
    status: chargeStatus(charge, nowMs),
    invoice_at: formatInstant(charge.invoiceAtMs),
    service_period: toTextPeriod(charge.servicePeriod),
    full_service_period: toTextPeriod(charge.fullServicePeriod),
    billing_period: toTextPeriod(charge.billingPeriod),
    settlement_mode: charge.settlementMode,
    price: terms.price,
    ...defined({
      description: charge.description,
      labels: charge.labels,
      deleted_at: charge.deletedAtMs === undefined ? undefined : formatInstant(charge.deletedAtMs),
      subscription: subscription && {
        id: subscription.id,
        phase: { id: subscription.phaseId, item: { id: subscription.itemId } },
      },
      unique_reference_id: charge.reference,
      tax_config: taxConfig && toTaxBody(taxConfig),
      discounts: toDiscountsBody(terms.discounts),
    }),
  };
  if (amount === undefined) {
    const { booked, realtime } = totals;
    const answer = {
      booked: toTotalsBody(booked),
      ...(realtime !== undefined && { realtime: toTotalsBody(realtime) }),
    };
    return { ...common, ...featureOfUsage(charge), type: 'usage_based' as const, totals: answer };
  }
  return {
    ...common,
    ...defined({ feature_id: charge.featureId, feature_key: charge.featureKey }),
    type: 'flat_fee' as const,
    payment_term: terms.payment_term ?? 'in_arrears',
    proration_configuration: { mode: charge.prorationMode },
    amount_after_proration: { amount, currency: charge.currency },
  };
}

function toTaxBody({ behavior, taxCodeId }: TaxRef) {
  return defined({ behavior, tax_code: taxCodeId === undefined ? undefined : { id: taxCodeId } });
}

/** Usage is always of a feature: charges without one are refused when they are made. */
function featureOfUsage({ id, featureId, featureKey }: Charge): { feature_id: string; feature_key: string } {
  if (featureId === undefined || featureKey === undefined) throw new Error(`charge ${id} bills usage of no feature`);
  return { feature_id: featureId, feature_key: featureKey };
}
