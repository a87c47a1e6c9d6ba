import { Decimal, formatDecimal } from '../../platform/decimal.ts';
import { parseInstant, toStoredInstant } from '../../platform/instant.ts';
import type { StoredLot, StoredRun } from './stored.ts';
import type { CreditLot, CreditMovement } from './types.ts';

export interface LotRow {
  id: string;
  customer_id: string;
  currency: string;
  seq: number;
  kind: StoredLot['kind'];
  grant_key: string | null;
  charge_id: string | null;
  content: string;
  created_at: string;
}

export interface RunRow {
  id: string;
  customer_id: string;
  currency: string;
  content: string;
  created_at: string;
}

export interface MovementRow {
  customer_id: string;
  currency: string;
  seq: number;
  kind: CreditMovement['kind'];
  lot_id: string | null;
  run_id: string | null;
  feature_key: string | null;
  amount: string;
  booked_at: string;
  known_at: string;
  reason_id: string;
}

type LotContent = Omit<StoredLot, 'kind' | 'customerId' | 'currency' | 'key' | 'lot'> & {
  lot: Omit<CreditLot, 'id' | 'seq' | 'amount' | 'costBasis' | 'createdAtMs'> & { amount: string; costBasis: string };
};

export function toLotRow({ kind, customerId, currency, key, lot, ...rest }: StoredLot): LotRow {
  const { id, seq, createdAtMs, amount, costBasis, ...terms } = lot;
  const ofLot = { ...terms, amount: formatDecimal(amount), costBasis: formatDecimal(costBasis) };
  const content: LotContent = { ...rest, lot: ofLot };
  return {
    id,
    customer_id: customerId,
    currency,
    seq,
    kind,
    grant_key: key ?? null,
    charge_id: rest.purchase?.chargeId ?? null,
    content: JSON.stringify(content),
    created_at: toStoredInstant(createdAtMs),
  };
}

export function toStoredLot(row: LotRow): StoredLot {
  const { lot, ...rest } = JSON.parse(row.content) as LotContent;
  return {
    ...rest,
    kind: row.kind,
    customerId: row.customer_id,
    currency: row.currency,
    ...(row.grant_key !== null && { key: row.grant_key }),
    lot: {
      ...lot,
      id: row.id,
      seq: row.seq,
      amount: new Decimal(lot.amount),
      costBasis: new Decimal(lot.costBasis),
      createdAtMs: fromStored(row.created_at),
    },
  };
}

export function toRunRow({ id, customerId, currency, createdAtMs, ...content }: StoredRun): RunRow {
  return {
    id,
    customer_id: customerId,
    currency,
    content: JSON.stringify(content),
    created_at: toStoredInstant(createdAtMs),
  };
}

export function toStoredRun(row: RunRow): StoredRun {
  return {
    ...(JSON.parse(row.content) as Pick<StoredRun, 'name' | 'description' | 'labels'>),
    id: row.id,
    customerId: row.customer_id,
    currency: row.currency,
    createdAtMs: fromStored(row.created_at),
  };
}

export function toMovementRow(owner: { customerId: string; currency: string }, one: CreditMovement): MovementRow {
  return {
    customer_id: owner.customerId,
    currency: owner.currency,
    seq: one.seq,
    kind: one.kind,
    lot_id: one.lotId ?? null,
    run_id: one.runId ?? null,
    feature_key: one.feature ?? null,
    amount: formatDecimal(one.amount),
    booked_at: toStoredInstant(one.bookedAtMs),
    known_at: toStoredInstant(one.knownAtMs),
    reason_id: one.reasonId,
  };
}

export function toMovement(row: MovementRow): CreditMovement {
  return {
    seq: row.seq,
    kind: row.kind,
    ...(row.lot_id !== null && { lotId: row.lot_id }),
    ...(row.run_id !== null && { runId: row.run_id }),
    ...(row.feature_key !== null && { feature: row.feature_key }),
    amount: new Decimal(row.amount),
    bookedAtMs: fromStored(row.booked_at),
    knownAtMs: fromStored(row.known_at),
    reasonId: row.reason_id,
  };
}

function fromStored(text: string): number {
  return parseInstant(text) ?? Number.NaN;
}
