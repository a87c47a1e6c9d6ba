/** What invoices know of taxes. Nothing here computes them: apps do, or do not. */
import { defined } from '../../../platform/defined.ts';
import type { Workflow } from '../../billing-profiles/index.ts';
import type { TaxRef } from '../../charges/index.ts';
import type { Invoice, ValidationIssue } from '../../invoice-records/index.ts';
import type { Rail } from '../rail.ts';

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

const TAX_ISSUE = 'tax_not_calculated';

/**
 * Holds back an invoice whose taxes are enforced and cannot be computed; one that costs nothing owes none.
 * @param rail of the invoice's app
 */
export function withTaxIssue(invoice: Invoice, isEnforced: boolean, rail: Pick<Rail, 'whyNoTax'>): Invoice {
  const others = invoice.issues.filter(({ code }) => code !== TAX_ISSUE);
  const why = isEnforced && invoice.totals.total !== '0' ? rail.whyNoTax(invoice.customer) : undefined;
  if (why === undefined) return others.length === invoice.issues.length ? invoice : { ...invoice, issues: others };
  const issue: ValidationIssue = { code: TAX_ISSUE, message: why, severity: 'critical' };
  return { ...invoice, issues: [...others, issue] };
}
