/** Credit that is bought by invoice: the charge for it, and what the ledger has to know of its line. */
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { truncateMs } from '../../platform/period/index.ts';
import { type Charge, chargeRepository, currencyOf, type TaxRef } from '../charges/index.ts';
import { type PurchaseStep, purchasesFollow } from '../credits/index.ts';
import { type InvoiceLine, type ShortStatus, stands } from '../invoice-records/index.ts';
import type { InvoicesDeps } from './deps.ts';
import type { Moving } from './lifecycle/moving.ts';

/** What is bought. */
export interface CreditOrder {
  name: string;
  /** What it costs. */
  amount: string;
  currency: string;
  taxConfig: TaxRef | undefined;
}

/** Charges for credit, at once. It must run in a transaction. @returns the charge */
export async function orderCredit(scope: CustomerScope, order: CreditOrder): Promise<string> {
  const nowMs = scope.clock.nowMs();
  const atMs = truncateMs(nowMs, 1000);
  const period = { fromMs: atMs, toMs: atMs };
  const { name, amount, currency, taxConfig } = order;
  const charge: Charge = {
    id: scope.newId(),
    customerId: scope.customerId,
    currency,
    name,
    terms: { price: { type: 'flat', amount }, payment_term: 'in_advance' },
    ...(taxConfig !== undefined && { taxConfig }),
    settlementMode: 'credit_then_invoice',
    prorationMode: 'no_proration',
    amount,
    servicePeriod: period,
    fullServicePeriod: period,
    billingPeriod: period,
    invoiceAtMs: atMs,
    controller: 'manual',
    state: 'open',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  await chargeRepository(scope).insert([charge]);
  return charge.id;
}

/** Runs inside the transaction that stores the invoice, after it. @param before undefined: it is made now */
export async function creditPurchasesFollow(
  deps: Pick<InvoicesDeps, 'findCurrency'>,
  scope: CustomerScope,
  before: Pick<Moving, 'invoice' | 'lines'> | undefined,
  after: Pick<Moving, 'invoice' | 'lines'>,
): Promise<void> {
  const known = new Map(before?.lines.map((line) => [line.id, line]));
  const wasStanding = before === undefined || stands(before.invoice.status);
  const steps = after.lines.flatMap((line): PurchaseStep[] => {
    const state = stateOf(known.get(line.id), line, { wasStanding, after, isNew: before === undefined });
    const { chargeId, kind } = line;
    if (state === undefined || chargeId === undefined || kind !== 'charge') return [];
    return [{ chargeId, invoiceId: after.invoice.id, lineId: line.id, state }];
  });
  await purchasesFollow(scope, steps, async (code) => (await currencyOf(deps, code, scope)).digits);
}

const PAID: Partial<Record<string, 'authorized' | 'settled'>> = {
  'payment_processing.authorized': 'authorized',
  paid: 'settled',
} satisfies Partial<Record<ShortStatus | string, 'authorized' | 'settled'>>;

function stateOf(
  was: InvoiceLine | undefined,
  line: InvoiceLine,
  { wasStanding, after, isNew }: { wasStanding: boolean; after: Pick<Moving, 'invoice'>; isNew: boolean },
): PurchaseStep['state'] | undefined {
  const wasLiving = was === undefined || was.deletedAtMs === undefined;
  if (wasLiving && line.deletedAtMs !== undefined) return 'gone';
  if (line.deletedAtMs !== undefined) return undefined;
  if (wasStanding && !stands(after.invoice.status)) return 'gone';
  return isNew ? 'drafted' : PAID[after.invoice.status];
}
