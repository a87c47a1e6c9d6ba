/** What a difference in usage is called on a bill. */
import { Decimal } from '../../platform/decimal.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Charge } from '../charges/index.ts';
import { usageBehind } from '../invoice-records/index.ts';
import type { AdjustmentsDeps } from './deps.ts';
import type { AdjustmentReason } from './types.ts';

export type UsageReason = Extract<AdjustmentReason, 'late_usage' | 'voided_events' | 'lower_usage'>;

/** How each is named beside what it corrects. */
export const USAGE_REASON_NAMES: Readonly<Record<UsageReason, string>> = {
  late_usage: 'late usage',
  voided_events: 'voided events',
  lower_usage: 'lower usage',
};

/** Enough to find whether anything was voided; among more that came late, nobody looks for the name of a line. */
const EVENTS_LOOKED_AT = 1000;

/**
 * Less usage than was billed is either because events were voided, or because one came late that says less: a negative
 * one, or a later reading of a gauge. Nobody is to read of voided events where there are none.
 * @param since moment of the usage store at which the quantity before was read
 */
export async function usageReason(
  deps: AdjustmentsDeps,
  scope: Scope,
  { name, customerId, featureId }: Pick<Charge, 'name' | 'customerId' | 'featureId'>,
  period: Period,
  { before, after, since }: { before: string; after: string; since: string | undefined },
): Promise<UsageReason> {
  if (new Decimal(after).gt(before)) return 'late_usage';
  const traced = { name, customerId, period, ...(featureId !== undefined && { featureId }) };
  const usage = since === undefined ? undefined : await usageBehind(deps, scope, traced);
  if (usage === undefined || since === undefined) return 'lower_usage';
  const { events } = await deps.tracing.lateEvents(usage, { snapshot: since }, { size: EVENTS_LOOKED_AT });
  return events.some(({ change }) => change === 'voided') ? 'voided_events' : 'lower_usage';
}
