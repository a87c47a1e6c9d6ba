import { numberingHeaders, reasonsOf } from '../../delivery/numbering.ts';
import type { Origin } from './origin.ts';
import { type AccountReport, METERED } from './served/account.ts';

/** What a batch says about itself and its process, and of what the gateway served; see {@link numberingHeaders}. */
export function deliveryHeaders(origin: Origin, numbers: readonly number[]): Record<string, string> {
  return {
    ...numberingHeaders(origin, numbers),
    ...(origin.account !== undefined && accountHeaders(origin.account)),
  };
}

/** Sums, not what is new: one that is lost, or arrives twice or late, does no harm. */
function accountHeaders({ id, revision, served, outcomes, unexplained }: AccountReport): Record<string, string> {
  const { [METERED]: metered = 0, ...notMetered } = outcomes;
  const reasons = reasonsOf(notMetered);
  return {
    'metering-account': `${id} ${revision}`,
    'metering-requests-served': String(served),
    'metering-requests-metered': String(metered),
    'metering-requests-unexplained': String(unexplained),
    ...(reasons !== '' && { 'metering-requests-not-metered': reasons }),
  };
}
