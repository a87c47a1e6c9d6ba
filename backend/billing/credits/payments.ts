import { creditProblem } from './errors.ts';
import type { PaymentStatus, StoredLot } from './stored.ts';

const PAYMENT_ORDER = ['pending', 'authorized', 'settled'] as const;

/**
 * The grant with what is known of its payment; the same one where that says nothing new. What is settled at once was
 * authorized, too. @throws DomainProblem 400
 */
export function paidGrant(grant: StoredLot, status: 'pending' | PaymentStatus, nowMs: number): StoredLot {
  if (grant.purchase === undefined || grant.lot.funding !== 'external') {
    throw creditProblem('credit_grant_external_settlement_not_supported');
  }
  const now = PAYMENT_ORDER.indexOf(grant.purchase.payments.at(-1)?.status ?? 'pending');
  if (PAYMENT_ORDER.indexOf(status) < now) throw creditProblem('credit_grant_external_settlement_status_invalid');
  return withPayment(grant, status, nowMs);
}

/** The grant with what is known of its payment; the same one where that says nothing new. */
export function withPayment(grant: StoredLot, status: 'pending' | PaymentStatus, nowMs: number): StoredLot {
  const { purchase } = grant;
  if (purchase === undefined) return grant;
  const now = PAYMENT_ORDER.indexOf(purchase.payments.at(-1)?.status ?? 'pending');
  const wanted = PAYMENT_ORDER.indexOf(status);
  if (wanted <= now) return grant;
  const steps = (['authorized', 'settled'] as const).slice(now, wanted);
  const payments = [...purchase.payments, ...steps.map((step) => ({ status: step, atMs: nowMs }))];
  return { ...grant, purchase: { ...purchase, payments } };
}
