/** What lines say of taxes that say nothing themselves. */
import { defined } from '../../../platform/defined.ts';
import type { Workflow } from '../../billing-profiles/index.ts';
import type { TaxRef } from '../../charges/index.ts';

/** What lines get that say nothing of taxes themselves. */
export interface TaxDefaults {
  behavior?: 'inclusive' | 'exclusive';
  /** The organization's code. */
  taxCodeId: string;
  /** Nobody has chosen that code: it says nothing. */
  isProviderDefault: boolean;
}

/** @param code the organization's */
export function taxDefaultsOf(
  tax: Workflow['tax'],
  code: Pick<TaxDefaults, 'taxCodeId' | 'isProviderDefault'>,
): TaxDefaults | undefined {
  return tax.enabled ? { ...code, ...defined({ behavior: tax.default_tax_config?.behavior }) } : undefined;
}

/** The taxes of a line: its own before the profile's behavior and the organization's code. */
export function withTaxDefaults<Line extends { taxConfig?: TaxRef }>(
  line: Line,
  defaults: TaxDefaults | undefined,
): Line {
  const { taxConfig: own } = line;
  if (defaults === undefined) return line;
  if (own === undefined && defaults.behavior === undefined && defaults.isProviderDefault) return line;
  const behavior = own?.behavior ?? defaults.behavior;
  return { ...line, taxConfig: { ...defined({ behavior }), taxCodeId: own?.taxCodeId ?? defaults.taxCodeId } };
}
