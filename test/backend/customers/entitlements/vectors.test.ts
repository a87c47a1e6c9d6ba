import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasAccess } from '../../../../backend/customers/entitlements/engine/balance.ts';
import {
  type BalanceState,
  burnDown,
  EMPTY_STATE,
  totalAvailable,
  totalBalance,
} from '../../../../backend/customers/entitlements/engine/burn-down.ts';
import { type Grant, inBurnDownOrder, isActiveAt } from '../../../../backend/customers/entitlements/engine/grant.ts';
import { planSegments } from '../../../../backend/customers/entitlements/engine/segments.ts';
import { resetsWithin } from '../../../../backend/customers/entitlements/engine/usage-period.ts';
import { usagesOf } from '../../../../backend/customers/entitlements/engine/usage-windows.ts';
import { Decimal, ZERO } from '../../../../backend/platform/decimal.ts';
import { durationFrom, recurrence } from '../../../../backend/platform/period/index.ts';

/** Expectations of OpenMeter's tests, as data. */
interface GrantVector {
  id: string;
  amount?: number;
  priority?: number;
  effective_at?: string;
  expires_at?: string;
  deleted_at?: string;
  max_rollover?: number;
  min_rollover?: number;
  recurrence?: { interval: string; anchor: string };
}

interface BurnDownVector {
  kind: 'burn_down';
  name: string;
  start: { at: string; balances: Record<string, number>; overage: number; usage?: number };
  grants: GrantVector[];
  usage: { at: string; value: number }[];
  until: string;
  resets?: string[];
  preserve_overage?: boolean;
  expected_segments: {
    kind: 'usage' | 'rollover';
    period: [string, string];
    balance_at_start: number;
    overage_at_start: number;
    usage: number;
    overage: number;
    grant_usages: { grant: string; usage: number }[];
  }[];
  expected_full: {
    balances: Record<string, number>;
    balance: number;
    overage: number;
    usage_in_period: number;
    total_available_grant_amount: number;
  };
}

type Vector =
  | BurnDownVector
  | {
      kind: 'snapshot_resume';
      name: string;
      grant_amount: number;
      checkpoint: { balance: number; usage: number; total_grant_usage: number };
      usage_after: number;
      expected: BurnDownVector['expected_full'];
    }
  | {
      kind: 'grant_order';
      name: string;
      grants: (GrantVector & { created?: string; expires?: string })[];
      expected: string[];
    }
  | { kind: 'access'; name: string; cases: { is_soft_limit: boolean; balance: number; has_access: boolean }[] }
  | {
      kind: 'usage_period';
      name: string;
      measure_from?: string;
      anchor?: string;
      interval?: string;
      recurrences?: { start: string; anchor: string; interval: string }[];
      query: [string, string];
      expected_resets: string[];
    }
  | { kind: 'grant_active'; name: string; grant: GrantVector; at: string; expected: boolean };

const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/entitlements.json', import.meta.url), 'utf8'),
) as Vector[];

function grantOf(vector: GrantVector): Grant {
  return {
    id: vector.id,
    amount: new Decimal(vector.amount ?? 1),
    priority: vector.priority ?? 1,
    effectiveAtMs: Date.parse(vector.effective_at ?? '2024-01-01T00:00:00Z'),
    createdAtMs: 0,
    expiresAtMs: vector.expires_at === undefined ? undefined : Date.parse(vector.expires_at),
    endedAtMs: vector.deleted_at === undefined ? undefined : Date.parse(vector.deleted_at),
    maxRollover: new Decimal(vector.max_rollover ?? 0),
    minRollover: new Decimal(vector.min_rollover ?? 0),
    recurrence:
      vector.recurrence && recurrence(Date.parse(vector.recurrence.anchor), durationFrom(vector.recurrence.interval)),
  };
}

function runOf(vector: BurnDownVector) {
  const grants = vector.grants.map(grantOf);
  const fromMs = Date.parse(vector.start.at);
  const start: BalanceState = {
    ...EMPTY_STATE,
    balances: new Map(Object.entries(vector.start.balances).map(([id, balance]) => [id, new Decimal(balance)])),
    overage: new Decimal(vector.start.overage),
    usage: new Decimal(vector.start.usage ?? 0),
  };
  const segments = planSegments({
    grants,
    periodFromMs: fromMs,
    fromMs,
    untilMs: Date.parse(vector.until),
    resetsMs: (vector.resets ?? []).map(Date.parse),
  });
  const usages = usagesOf(segments, 'additive', (window) =>
    vector.usage
      .filter(({ at }) => Date.parse(at) >= window.fromMs && Date.parse(at) < window.toMs)
      .reduce((sum, { value }) => sum.plus(value), ZERO),
  );
  const preservesOverage = () => vector.preserve_overage ?? false;
  return burnDown({ grants, start, segments, usages, preservesOverage, mode: 'spend' });
}

const numbers = (balances: ReadonlyMap<string, Decimal>) =>
  Object.fromEntries(Array.from(balances, ([id, balance]) => [id, balance.toNumber()]));

describe('the vectors of entitlements', () => {
  it('are all there', () => {
    expect(vectors).toHaveLength(40);
  });

  for (const vector of vectors) {
    it(`${vector.kind}: ${vector.name}`, () => {
      switch (vector.kind) {
        case 'burn_down': {
          const { segments, state } = runOf(vector);
          expect({
            balances: numbers(state.balances),
            balance: totalBalance(state.balances).toNumber(),
            overage: state.overage.toNumber(),
            usage_in_period: state.usage.toNumber(),
            total_available_grant_amount: totalAvailable(state).toNumber(),
          }).toEqual(vector.expected_full);
          const seen = segments.map((segment) => ({
            kind: segment.kind,
            period: [segment.fromMs, segment.toMs],
            balance_at_start: totalBalance(segment.balancesAtStart).toNumber(),
            overage_at_start: segment.overageAtStart.toNumber(),
            usage: segment.usage.toNumber(),
            overage: segment.overage.toNumber(),
            grant_usages: segment.grantUsages.map(({ grantId, usage }) => ({
              grant: grantId,
              usage: usage.toNumber(),
            })),
          }));
          expect(seen).toEqual(
            vector.expected_segments.map((segment) => ({ ...segment, period: segment.period.map(Date.parse) })),
          );
          return;
        }
        case 'snapshot_resume': {
          const grant = grantOf({ id: 'g', amount: vector.grant_amount });
          const { balance, usage, total_grant_usage } = vector.checkpoint;
          const fromMs = grant.effectiveAtMs + 60_000;
          const { state } = burnDown({
            grants: [grant],
            start: {
              balances: new Map([['g', new Decimal(balance)]]),
              overage: ZERO,
              usage: new Decimal(usage),
              grantUsage: new Decimal(total_grant_usage),
            },
            segments: planSegments({
              grants: [grant],
              periodFromMs: grant.effectiveAtMs,
              fromMs,
              untilMs: fromMs + 60_000,
              resetsMs: [],
            }),
            usages: [new Decimal(vector.usage_after)],
            preservesOverage: () => false,
            mode: 'spend',
          });
          expect({
            usage_in_period: state.usage.toNumber(),
            balance: totalBalance(state.balances).toNumber(),
            overage: state.overage.toNumber(),
            total_available_grant_amount: totalAvailable(state).toNumber(),
          }).toEqual(vector.expected);
          return;
        }
        case 'grant_order': {
          const grants = vector.grants.map((grant) => ({
            ...grantOf(grant),
            createdAtMs: instantFromBase(grant.created) ?? 0,
            expiresAtMs: instantFromBase(grant.expires),
          }));
          expect(inBurnDownOrder(grants).map(({ id }) => id)).toEqual(vector.expected);
          return;
        }
        case 'access':
          for (const { is_soft_limit, balance, has_access } of vector.cases) {
            expect(hasAccess(is_soft_limit, new Decimal(balance))).toBe(has_access);
          }
          return;
        case 'usage_period': {
          const { measure_from = '', anchor = '', interval = '' } = vector;
          const given = vector.recurrences ?? [{ start: measure_from, anchor, interval }];
          const periods = given.map((entry) => ({
            fromMs: Date.parse(entry.start),
            recurrence: recurrence(Date.parse(entry.anchor), durationFrom(entry.interval)),
          }));
          const [from, to] = vector.query;
          expect(resetsWithin(periods, Date.parse(from), Date.parse(to))).toEqual(
            vector.expected_resets.map(Date.parse),
          );
          return;
        }
        case 'grant_active':
          expect(isActiveAt(grantOf(vector.grant), Date.parse(vector.at))).toBe(vector.expected);
          return;
      }
    });
  }
});

/** Reads "base+1h+900ms". */
function instantFromBase(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  let at = Date.parse('2024-06-01T00:00:00Z');
  for (const [, sign, amount, unit] of text.matchAll(/([+-])(\d+)(h|ms)/g)) {
    at += (sign === '-' ? -1 : 1) * Number(amount) * (unit === 'h' ? 3_600_000 : 1);
  }
  return at;
}
