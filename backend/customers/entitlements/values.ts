import { isTimeZone, type WindowSize, windowFinder } from '../../platform/calendar-windows.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Period } from '../../platform/period/index.ts';
import { accessOf, amountsById, judge } from './access.ts';
import { toAccessBody } from './bodies.ts';
import { minuteOf, planBalance, readingMinuteOf } from './engine/balance.ts';
import { type BurnDown, totalBalance } from './engine/burn-down.ts';
import { windowedHistory } from './engine/history.ts';
import { customerDeleted, invalidQuery, notMetered } from './errors.ts';
import { currentPeriod, measuredOf, reckon } from './measuring.ts';
import { entitlementRepository } from './repository.ts';
import type { FeatureAccessBody, HistoryBody } from './schema.ts';
import { type EntitlementDeps, entitlementOf, nowOf } from './service.ts';
import { endOf, isInForceAt } from './types.ts';

/** What was left and used, at an instant or over time. */
export interface Values {
  /** Access to everything that the customer has an entitlement for, by feature key. @throws 404, 412 when deleted */
  accessOfCustomer(customerId: string, signal?: AbortSignal): Promise<FeatureAccessBody[]>;
  /** @throws RequestProblem 404 @throws DomainProblem 409 for a deleted customer */
  byFeature(
    customerId: string,
    featureKey: string,
    options: { atMs?: number | undefined; withValue: boolean },
    signal?: AbortSignal,
  ): Promise<FeatureAccessBody>;
  /** @throws RequestProblem 404 */
  byEntitlement(
    customerId: string,
    id: string,
    options: { atMs?: number | undefined; withValue: boolean },
    signal?: AbortSignal,
  ): Promise<FeatureAccessBody>;
  /** @throws RequestProblem 400, 404 */
  history(customerId: string, id: string, query: HistoryQuery, signal?: AbortSignal): Promise<HistoryBody>;
}

export interface HistoryQuery {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly windowSize: 'PT1H' | 'P1D';
  readonly timeZone: string;
}

/** Six weeks of hours, almost three years of days: what a chart can show. The contract of newer clients says so. */
const MAX_WINDOWS = 1000;

export function createValues(deps: EntitlementDeps): Values {
  const { scope, getCustomer } = deps;
  return {
    accessOfCustomer: async (customerId, signal) => {
      const customer = await getCustomer(customerId, scope);
      if (customer.deleted_at !== undefined) throw customerDeleted(customerId, 'precondition-failed');
      const nowMs = await nowOf(customerId, scope);
      const found = (await accessOf([customerId], undefined, () => nowMs, deps, signal)).get(customerId);
      return Array.from(found ?? [], ([key, access]) => toAccessBody(key, access, false));
    },
    byFeature: async (customerId, featureKey, { atMs: givenMs, withValue }, signal) => {
      const atMs = givenMs ?? (await nowOf(customerId, scope));
      const customer = await getCustomer(customerId, scope);
      if (customer.deleted_at !== undefined) throw customerDeleted(customerId, 'resource-conflict');
      const found = (await accessOf([customerId], [featureKey], () => atMs, deps, signal)).get(customerId);
      return toAccessBody(featureKey, found?.get(featureKey), withValue);
    },
    byEntitlement: async (customerId, id, { atMs: givenMs, withValue }, signal) => {
      const atMs = givenMs ?? (await nowOf(customerId, scope));
      const entitlement = await entitlementOf(scope, customerId, id);
      const { featureKey, terms } = entitlement;
      if (!isInForceAt(entitlement, atMs)) return { ...toAccessBody(featureKey, undefined, false), type: terms.type };
      const stored = await entitlementRepository(scope).withGrants([entitlement]);
      const [access] = await judge([entitlement], await measuredOf(stored, deps), () => atMs, deps, signal);
      return toAccessBody(featureKey, access, withValue);
    },
    history: (customerId, id, query, signal) => history(deps, customerId, id, query, signal),
  };
}

async function history(
  deps: EntitlementDeps,
  customerId: string,
  id: string,
  query: HistoryQuery,
  signal: AbortSignal | undefined,
): Promise<HistoryBody> {
  const { scope } = deps;
  const entitlement = await entitlementOf(scope, customerId, id);
  const [measured] = await measuredOf(await entitlementRepository(scope).withGrants([entitlement]), deps);
  if (measured === undefined) throw notMetered(id, entitlement.terms.type);
  if (!isTimeZone(query.timeZone)) throw invalidQuery('time_zone', 'must be the name of an IANA time zone');
  const nowMs = Math.min(await nowOf(customerId, scope), endOf(entitlement) ?? Infinity);
  const atMs = Math.min(query.toMs ?? nowMs, nowMs);
  const untilMs = readingMinuteOf(atMs);
  const fromMs = minuteOf(query.fromMs ?? currentPeriod(measured, nowMs).fromMs);
  if (fromMs < measured.measuring.measureFromMs) throw invalidQuery('from', 'must not lie before measuring began');
  if (fromMs >= untilMs) throw invalidQuery('from', 'must lie before to, and to not in the future');
  const windows = windowsWithin({ fromMs, toMs: untilMs }, query.windowSize, query.timeZone);
  const plan = (cutsMs: readonly number[]) => ({
    measured,
    plan: planBalance(measured.allowance, atMs, { fromMs, cutsMs }),
  });
  const [windowed, whole] = await reckon([plan(windows.map((window) => window.fromMs)), plan([fromMs])], deps, signal);
  if (windowed === undefined || whole === undefined) throw new Error('a reckoning is missing');
  return {
    windowed_history: windowedHistory(windowed, windows).map(({ period, usage, balanceAtStart }) => ({
      period: periodBody(period),
      usage: formatDecimal(usage),
      balance_at_start: formatDecimal(balanceAtStart),
    })),
    burndown_history: burnDownBodies(whole, fromMs),
  };
}

/** Windows of the clock in that zone; those that begin before the time that is asked for are left out. */
function windowsWithin({ fromMs, toMs }: Period, size: WindowSize, timeZone: string): Period[] {
  const windowAt = windowFinder(size, timeZone);
  const windows: Period[] = [];
  let window = windowAt(fromMs);
  if (window.fromMs < fromMs) window = windowAt(window.toMs);
  while (window.fromMs < toMs) {
    if (windows.length === MAX_WINDOWS) {
      throw invalidQuery('window_size', `gives more than ${MAX_WINDOWS} windows: ask for less time`);
    }
    windows.push({ fromMs: window.fromMs, toMs: Math.min(window.toMs, toMs) });
    window = windowAt(window.toMs);
  }
  return windows;
}

function burnDownBodies({ segments }: BurnDown, fromMs: number): HistoryBody['burndown_history'] {
  return segments
    .filter((segment) => segment.kind === 'usage' && segment.fromMs >= fromMs)
    .map((segment) => ({
      period: periodBody(segment),
      usage: formatDecimal(segment.usage),
      overage: formatDecimal(segment.overage),
      balance: {
        start: formatDecimal(totalBalance(segment.balancesAtStart)),
        end: formatDecimal(totalBalance(segment.balancesAtEnd)),
      },
      grant_balances: { start: amountsById(segment.balancesAtStart), end: amountsById(segment.balancesAtEnd) },
      grant_usages: segment.grantUsages.map(({ grantId, usage }) => ({
        grant_id: grantId,
        usage: formatDecimal(usage),
      })),
    }));
}

function periodBody({ fromMs, toMs }: Period): { from: string; to: string } {
  return { from: formatInstant(fromMs), to: formatInstant(toMs) };
}
