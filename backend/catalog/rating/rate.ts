import { formatDecimal } from '../../platform/decimal.ts';
import type { LineDraft, RatingContext, Usage } from './context.ts';
import { earlierUsageStep, step } from './explanation-steps.ts';
import { chargesUsage, priceLine } from './models/index.ts';
import { applyCredits } from './mutators/credits.ts';
import { takeFreeUnits } from './mutators/free-units.ts';
import { capAtMaximum } from './mutators/maximum-spend.ts';
import { fillToMinimum } from './mutators/minimum-spend.ts';
import { discountByPercentage } from './mutators/percentage-discount.ts';
import { convertUnits } from './mutators/unit-conversion.ts';
import { billableUsage, readContext, readUsage } from './read-input.ts';
import { lineTotals, sumTotals } from './totals.ts';
import type { DetailedLine, ExplanationStep, RatedLine, RateInput, UsageDiscount } from './types.ts';

/** After the price: percentage first, then the cap, then the floor; credits pay what is left. */
const USAGE_PRICE_MUTATORS = [discountByPercentage, capAtMaximum, fillToMinimum, applyCredits];
/** Flat prices have no quantity to convert and no commitments. */
const FLAT_PRICE_MUTATORS = [discountByPercentage, applyCredits];

/**
 * Rates one line: its quantity and the terms of its rate card become detailed lines with totals.
 * Steps: unit conversion, free units, price, percentage discount, maximum, minimum, credits, totals. Money is rounded
 * where a product becomes money (detailed line, percentage discount) and where amounts are summed, nowhere else.
 * Pure: the same input gives the same output. Source: OpenMeter openmeter/billing/rating/service.
 * @throws RatingError
 * - `invalid_pricing`: the terms cannot be rated (see findPricingProblems)
 * - `invalid_number`: a quantity, an amount or a credit is no decimal number
 * - `unit_config_disabled`: unit_config is set and `unitConfigEnabled` is false
 * - `volume_split_not_supported`: a volume price with a previous quantity
 * - `credits_not_consumed_fully`: more credits than there is to pay
 */
export function rate(input: RateInput): RatedLine {
  const context = readContext(input);
  const metered = readUsage(input);
  const { terms } = context;
  const usageBased = chargesUsage(terms.price);
  const usage = usageBased
    ? takeFreeUnits(convertUnits(billableUsage(metered), context), context)
    : convertUnits(metered, { unitConfig: undefined });
  const priced = priceLine(terms.price, usage, context);
  const mutators = usageBased ? USAGE_PRICE_MUTATORS : FLAT_PRICE_MUTATORS;
  const drafts = mutators.reduce((lines, mutate) => mutate(lines, context), priced.lines);
  const usageSteps = usageBased ? stepsOfUsage(usage) : [];
  const detailedLines = drafts.map((draft) => writeLine(draft, usageSteps, context));
  const totals = sumTotals(
    detailedLines.map((line) => line.totals),
    context.currency,
  );
  const displayUnit = usageBased ? context.unitConfig?.display_unit : undefined;
  return {
    detailedLines,
    totals,
    rawQuantity: formatDecimal(metered.quantity),
    invoicedQuantity: formatDecimal(usage.quantity.toDecimal()),
    ...(displayUnit === undefined ? {} : { displayUnit }),
    usageDiscount: writeUsageDiscount(usage, context),
    explanation: priced.reason === undefined ? usageSteps : [...usageSteps, step('no_line', priced.reason, null)],
  };
}

function stepsOfUsage(usage: Usage): readonly ExplanationStep[] {
  if (usage.previousQuantity.isZero()) return usage.steps;
  return [...usage.steps, earlierUsageStep(usage.previousQuantity)];
}

function writeLine(draft: LineDraft, usageSteps: readonly ExplanationStep[], context: RatingContext): DetailedLine {
  return {
    name: draft.name,
    childUniqueReferenceId: draft.childUniqueReferenceId,
    category: draft.category,
    paymentTerm: draft.paymentTerm,
    quantity: formatDecimal(draft.quantity.toDecimal()),
    unitPrice: formatDecimal(draft.unitPrice),
    ...(draft.servicePeriod === undefined ? {} : { servicePeriod: draft.servicePeriod }),
    discounts: draft.discounts.map((discount) => ({ ...discount, amount: formatDecimal(discount.amount) })),
    creditsApplied: draft.credits.map(({ amount, id, description }) => ({
      amount: formatDecimal(amount),
      ...(id === undefined ? {} : { id }),
      ...(description === undefined ? {} : { description }),
    })),
    totals: lineTotals(draft, context.currency),
    explanation: draft.category === 'commitment' ? draft.steps : [...usageSteps, ...draft.steps],
  };
}

function writeUsageDiscount(usage: Usage, context: RatingContext): UsageDiscount | null {
  if (context.freeUnits === undefined || !chargesUsage(context.terms.price)) return null;
  const before = usage.previousFreeUnits;
  return {
    reason: 'ratecard_usage',
    quantity: formatDecimal(usage.freeUnits.toDecimal()),
    preLinePeriodQuantity: before.isZero() ? null : formatDecimal(before.toDecimal()),
    childUniqueReferenceId: context.usageReference,
  };
}
