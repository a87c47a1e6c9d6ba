/** What the lines of an invoice are in Stripe. Pure. */
import { createHash } from 'node:crypto';
import type { Invoice, InvoiceLine } from '../../billing/invoice-records/index.ts';
import { Decimal, formatDecimal, sumDecimals } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import type { Period } from '../../platform/period/index.ts';
import { AppRefused } from '../outgoing/index.ts';
import { toMinorUnits } from './money.ts';

export interface LineThere {
  /** Of the line or detailed line here; of many of them, what they have in common. */
  lineId: string;
  type: 'line' | 'discount' | 'credit';
  description: string;
  /** In Stripe's smallest unit. */
  amount: number;
  /** Unix seconds. */
  period: { start: number; end: number };
  tax?: { code?: string; behavior?: 'inclusive' | 'exclusive' };
}

/** Where many become few: Stripe takes 250 items on an invoice. */
const MAX_LINES = 200;
const MAX_DESCRIPTION = 500;

interface Part extends Omit<LineThere, 'amount'> {
  amount: Decimal;
  /** What parts that become one have in common. */
  group: string;
}

/**
 * Lines that add up to the invoice's total before taxes.
 * @param taxCodeOf Stripe's code of a tax code here
 * @throws AppRefused when they do not, or Stripe cannot charge an amount
 */
export function linesThere(
  invoice: Pick<Invoice, 'currency' | 'totals' | 'workflow'>,
  lines: readonly InvoiceLine[],
  taxCodeOf: (taxCodeId: string) => string | undefined,
): LineThere[] {
  const isTaxed = invoice.workflow.tax.enabled;
  const parts = lines.flatMap((line) => partsOf(line, isTaxed ? taxOf(line, taxCodeOf) : undefined));
  const few = atMost(parts, MAX_LINES);
  const there = few.map(({ group: _, amount, ...part }) => ({
    ...part,
    amount: toMinorUnits(formatDecimal(amount), invoice.currency),
  }));
  const net = new Decimal(invoice.totals.total).sub(invoice.totals.taxesExclusiveTotal);
  const sum = sumDecimals(there.map(({ amount }) => amount));
  if (net.isNegative()) {
    throw new AppRefused(
      'app_total_negative',
      'Stripe charges no negative total: credits stay here until something is to be paid',
    );
  }
  if (!sum.eq(toMinorUnits(formatDecimal(net), invoice.currency))) {
    throw new AppRefused(
      'app_totals_differ',
      `the lines add up to ${formatDecimal(sum)} of the smallest unit, the invoice to ${formatDecimal(net)} ${invoice.currency}`,
    );
  }
  return there;
}

function taxOf({ taxConfig }: InvoiceLine, taxCodeOf: (taxCodeId: string) => string | undefined): LineThere['tax'] {
  if (taxConfig === undefined) return undefined;
  const code = taxConfig.taxCodeId === undefined ? undefined : taxCodeOf(taxConfig.taxCodeId);
  const tax = defined({ code, behavior: taxConfig.behavior });
  return Object.keys(tax).length === 0 ? undefined : tax;
}

function partsOf(line: InvoiceLine, tax: LineThere['tax']): Part[] {
  const parts = (line.rated?.detailedLines ?? []).flatMap((detail): Part[] => {
    const { totals } = detail;
    const period = detail.servicePeriod ?? line.servicePeriod;
    const common = {
      lineId: detail.id,
      period: secondsOf('from' in period ? { fromMs: Date.parse(period.from), toMs: Date.parse(period.to) } : period),
      ...defined({ tax }),
    };
    const text = describe(line.name, detail);
    const gross = new Decimal(totals.amount).add(totals.chargesTotal);
    const make = (type: Part['type'], amount: Decimal, description: string): Part[] =>
      amount.isZero()
        ? []
        : [
            {
              ...common,
              type,
              amount,
              description: description.slice(0, MAX_DESCRIPTION),
              group: groupOf(line, type, tax),
            },
          ];
    return [
      ...make('line', gross, text),
      ...make('discount', new Decimal(totals.discountsTotal).neg(), `Discount: ${text}`),
      ...make('credit', new Decimal(totals.creditsTotal).neg(), `Credits: ${text}`),
    ];
  });
  if (parts.length > 0) return parts;
  // What costs nothing stands there too.
  const period = secondsOf(line.servicePeriod);
  const description = line.name.slice(0, MAX_DESCRIPTION);
  return [
    {
      lineId: line.id,
      type: 'line',
      amount: new Decimal(0),
      description,
      period,
      group: groupOf(line, 'line', tax),
      ...defined({ tax }),
    },
  ];
}

function describe(name: string, detail: { name: string; quantity: string; unitPrice: string }): string {
  const text = detail.name === '' || detail.name === name ? name : `${name}: ${detail.name}`;
  return new Decimal(detail.quantity).eq(1) ? text : `${text} (${detail.quantity} × ${detail.unitPrice})`;
}

function secondsOf({ fromMs, toMs }: Period): LineThere['period'] {
  return { start: Math.floor(fromMs / 1000), end: Math.floor(toMs / 1000) };
}

function groupOf(line: InvoiceLine, type: Part['type'], tax: LineThere['tax']): string {
  return JSON.stringify([line.name, line.featureKey, type, tax, line.servicePeriod]);
}

/** As they are; or those of a feature and a period as one; or all that are taxed alike. */
function atMost(parts: readonly Part[], limit: number): readonly Part[] {
  if (parts.length <= limit) return parts;
  const byFeature = joined(parts, ({ group }) => group);
  if (byFeature.length <= limit) return byFeature;
  return joined(parts, ({ type, tax }) => JSON.stringify([type, tax]));
}

function joined(parts: readonly Part[], keyOf: (part: Part) => string): Part[] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) groups.set(keyOf(part), [...(groups.get(keyOf(part)) ?? []), part]);
  return [...groups].map(([key, group]) => joinedOne(key, group));
}

function joinedOne(key: string, group: readonly Part[]): Part {
  const [first] = group;
  if (first === undefined || group.length === 1) return first as Part;
  const names = new Set(group.map((part) => (JSON.parse(part.group) as [string])[0]));
  const name =
    names.size === 1 ? [...names].join('') : { line: 'Items', discount: 'Discounts', credit: 'Credits' }[first.type];
  let { start, end } = first.period;
  for (const { period } of group) {
    start = Math.min(start, period.start);
    end = Math.max(end, period.end);
  }
  return {
    ...first,
    lineId: `all:${createHash('sha256').update(key).digest('hex').slice(0, 24)}`,
    description: `${name} (${group.length} items, listed on our invoice)`,
    amount: sumDecimals(group.map(({ amount }) => amount)),
    period: { start, end },
  };
}

/** Tells whether a line there is what it should be. */
export function fingerprint(line: LineThere): string {
  const { description, amount, period, tax } = line;
  return createHash('sha256')
    .update(JSON.stringify([description, amount, period, tax ?? null]))
    .digest('hex')
    .slice(0, 16);
}
