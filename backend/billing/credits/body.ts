import { createHash } from 'node:crypto';
import { formatDecimal } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { idOfHash } from '../../platform/ids.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { GrantBody, TransactionPage } from './schema.ts';
import { statusOf } from './status.ts';
import type { StoredLot, StoredRun } from './stored.ts';
import type { CreditTransaction } from './transactions.ts';
import type { CreditMovement } from './types.ts';

/** A grant in the shape of the contract. */
export function toGrantBody(grant: StoredLot, nowMs: number): GrantBody {
  const { lot, purchase, taxConfig } = grant;
  return {
    id: lot.id,
    name: grant.name,
    created_at: formatInstant(lot.createdAtMs),
    updated_at: formatInstant(grant.updatedAtMs),
    funding_method: lot.funding,
    currency: grant.currency,
    amount: formatDecimal(lot.amount),
    priority: lot.priority,
    effective_at: formatInstant(lot.effectiveAtMs),
    status: statusOf(lot, nowMs),
    ...defined({
      description: grant.description,
      labels: grant.labels,
      key: grant.key,
      purchase: purchase && {
        currency: purchase.currency,
        per_unit_cost_basis: purchase.perUnitCostBasis,
        amount: purchase.amount,
        availability_policy: 'on_creation' as const,
        settlement_status: purchase.payments.at(-1)?.status ?? ('pending' as const),
      },
      invoice: purchase?.invoice && { id: purchase.invoice.id, line: { id: purchase.invoice.lineId } },
      tax_config:
        taxConfig &&
        defined({
          behavior: taxConfig.behavior,
          tax_code: taxConfig.taxCodeId === undefined ? undefined : { id: taxConfig.taxCodeId },
        }),
      filters: lot.features.length === 0 ? undefined : { features: [...lot.features] },
      expires_at: lot.expiresAtMs === undefined ? undefined : formatInstant(lot.expiresAtMs),
      voided_at: lot.voidedAtMs === undefined ? undefined : formatInstant(lot.voidedAtMs),
    }),
  };
}

type TransactionBody = TransactionPage['data'][number];

/** Whose a transaction is, and what its lot and its run are called. */
export interface TransactionContext {
  customerId: string;
  currency: string;
  lot: StoredLot | undefined;
  run: StoredRun | undefined;
}

/** A transaction in the shape of the contract; labels say what it is about. */
export function toTransactionBody(row: CreditTransaction, context: TransactionContext): TransactionBody {
  const { movement, type } = row;
  const { lot, run, currency } = context;
  const grantId = lot?.kind === 'grant' ? lot.lot.id : undefined;
  return {
    id: transactionId(movement, context),
    name: (type === 'consumed' ? run : lot)?.name ?? lot?.name ?? 'Credit',
    created_at: formatInstant(movement.knownAtMs),
    booked_at: formatInstant(movement.bookedAtMs),
    type,
    currency,
    amount: formatDecimal(row.amount),
    available_balance: { before: formatDecimal(row.before), after: formatDecimal(row.after) },
    ...labelsOf(defined({ ...run?.labels, grant_id: grantId, feature_key: movement.feature })),
  };
}

/** Always the same for a movement, whether what expires is booked yet or follows from the lot. */
export function transactionId(
  { reasonId, kind, lotId, runId }: CreditMovement,
  { customerId, currency }: Pick<TransactionContext, 'customerId' | 'currency'>,
): string {
  const identity = JSON.stringify([customerId, currency, reasonId, kind, lotId, runId]);
  return idOfHash(createHash('sha256').update(identity).digest('hex'));
}

function labelsOf(labels: Record<string, string>): { labels?: Record<string, string> } {
  return Object.keys(labels).length === 0 ? {} : { labels };
}
