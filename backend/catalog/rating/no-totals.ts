import type { Totals } from './types.ts';

/** Of what costs nothing. */
export const NO_TOTALS: Totals = {
  amount: '0',
  chargesTotal: '0',
  discountsTotal: '0',
  creditsTotal: '0',
  taxesTotal: '0',
  taxesInclusiveTotal: '0',
  taxesExclusiveTotal: '0',
  total: '0',
};
