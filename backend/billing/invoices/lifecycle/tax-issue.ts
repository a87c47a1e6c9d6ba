/** Invoices whose taxes are enforced, and that nobody can compute. */
import { isZero } from '../../../platform/decimal-texts.ts';
import type { Invoice, InvoiceLine, ValidationIssue } from '../../invoice-records/index.ts';
import { chooseTax, type TaxRules } from '../../tax/index.ts';
import type { Rail } from '../rail.ts';
import type { Moving } from './moving.ts';
import { type Parties, partiesOf } from './taxes.ts';

/**
 * Why nobody can compute the taxes of a customer's invoices; undefined when somebody can: the rail, or rates.
 * @param taxCodeIds of what is sold; undefined: not known yet, one rate for anything is enough
 */
export function whyNoTax(
  rail: Pick<Rail, 'whyNoTax' | 'computesTaxes'>,
  rules: TaxRules,
  { supplier, customer }: Parties,
  taxCodeIds?: ReadonlySet<string | undefined>,
): string | undefined {
  const why = rail.whyNoTax(customer);
  if (why === undefined || rail.computesTaxes === true) return why;
  const codes = taxCodeIds ?? new Set([undefined, ...rules.rates.map(({ tax_code }) => tax_code?.id)]);
  const parties = partiesOf({ supplier, customer }, rules);
  const chosen = [...codes].map((code) => chooseTax(rules.rates, parties, code));
  const isEnough = taxCodeIds === undefined ? chosen.some((tax) => tax !== undefined) : !chosen.includes(undefined);
  if (isEnough) return undefined;
  const { country } = customer.billing_address ?? {};
  const where =
    country === undefined ? 'a customer without a billing address with a country' : `this customer in ${country}`;
  return `${why}; no tax rate is for what is sold to ${where}`;
}

const TAX_ISSUE = 'tax_not_calculated';

/**
 * Holds back an invoice whose taxes are enforced and cannot be computed; one that costs nothing owes none.
 * @param rail of the invoice's app
 */
export function withTaxIssue(
  { invoice, lines, taxes }: Moving,
  isEnforced: boolean,
  rail: Pick<Rail, 'whyNoTax' | 'computesTaxes'>,
): Invoice {
  const others = invoice.issues.filter(({ code }) => code !== TAX_ISSUE);
  const untaxed = lines.filter(isUntaxed).map(({ taxConfig }) => taxConfig?.taxCodeId);
  const isOwed = isEnforced && invoice.totals.total !== '0' && untaxed.length > 0;
  const why = isOwed ? whyNoTax(rail, taxes, invoice, new Set(untaxed)) : undefined;
  if (why === undefined) return others.length === invoice.issues.length ? invoice : { ...invoice, issues: others };
  const issue: ValidationIssue = { code: TAX_ISSUE, message: why, severity: 'critical' };
  return { ...invoice, issues: [...others, issue] };
}

function isUntaxed({ deletedAtMs, tax, rated }: InvoiceLine): boolean {
  return deletedAtMs === undefined && tax === undefined && rated !== undefined && !isZero(rated.totals.total);
}
