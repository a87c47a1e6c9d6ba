import { parseInstant } from '../../platform/instant.ts';
import { isAtLeastAnHour, parseIsoDuration } from '../../platform/iso-duration.ts';
import type { Currency } from '../../platform/money.ts';
import type { Period } from '../../platform/period/index.ts';
import type { Currencies } from '../currencies/index.ts';
import type { Customers } from '../customers/index.ts';
import type { Feature, Features } from '../features/index.ts';
import { type RateCard, toRateCard } from '../product-catalog/index.ts';
import { RatingError, sumTotals } from '../rating/index.ts';
import { type BilledPeriod, billedPeriods } from './billing-periods.ts';
import { estimateProblem, unratable } from './errors.ts';
import { type LineInput, type RatedEstimateLine, rateLine, toTotals } from './rate-line.ts';
import type { Estimate, EstimateRequest } from './schema.ts';

/** Each line may be a query of usage: more than a year by days is a report, not a question. */
const MAX_LINES = 400;

export interface CostEstimatesService {
  /**
   * What a quantity, or a customer's past usage, would cost.
   * @throws RequestProblem 400 that names the field @throws DomainProblem 400 for terms that cannot be rated
   */
  estimate(request: EstimateRequest, signal?: AbortSignal): Promise<Estimate>;
}

/** A rate card to estimate, and where it stands in the request. */
interface Candidate {
  card: RateCard;
  currency: Currency;
  feature: Feature | undefined;
  path: string;
}

/** Usage to rate. */
interface PastUsage {
  customerId: string;
  period: Period;
}

export function createCostEstimatesService(deps: {
  features: Features;
  customers: Pick<Customers, 'findByIds'>;
  currencies: Pick<Currencies, 'find'>;
}): CostEstimatesService {
  const { features, customers, currencies } = deps;

  const candidateOf = async (card: RateCard, currencyCode: string, path: string): Promise<Candidate> => {
    const overridden = card.currency !== undefined;
    const currency = await currencies.find(card.currency ?? currencyCode);
    if (currency === undefined) {
      const field = overridden ? `${path}.currency` : 'currency';
      throw estimateProblem('missing_reference', field, 'is neither an ISO 4217 currency nor a custom one');
    }
    const feature =
      card.featureId === undefined ? undefined : (await features.findByIds([card.featureId])).get(card.featureId);
    if (card.featureId !== undefined && feature === undefined) {
      throw estimateProblem('missing_reference', `${path}.feature.id`, `feature not found: ${card.featureId}`);
    }
    return { card, currency, feature, path };
  };

  const usageOf = async (request: NonNullable<EstimateRequest['usage']>): Promise<PastUsage> => {
    const fromMs = parseInstant(request.from) ?? Number.NaN;
    const toMs = parseInstant(request.to) ?? Number.NaN;
    if (fromMs >= toMs) throw estimateProblem('invalid', 'usage.to', 'must be after usage.from');
    const customerId = request.customer.id;
    if (!(await customers.findByIds([customerId])).has(customerId)) {
      throw estimateProblem('missing_reference', 'usage.customer.id', `customer not found: ${customerId}`);
    }
    return { customerId, period: { fromMs, toMs } };
  };

  /** The lines of one rate card: one for a quantity, one for each billing period of past usage. */
  const linesOf = async (
    candidate: Candidate,
    given: { quantity: string | undefined; usage: PastUsage | undefined },
    signal: AbortSignal | undefined,
  ): Promise<LineInput[]> => {
    const { card, currency, feature } = candidate;
    const common = { card, currency, feature: feature && { id: feature.id, key: feature.key }, isProrated: true };
    const { usage } = given;
    if (usage === undefined) return [{ ...common, quantity: given.quantity ?? '0', billed: undefined }];
    const lines: LineInput[] = [];
    for (const billed of periodsOf(candidate, usage.period)) {
      const quantity = needsQuantity(card)
        ? await features.usage.ofCustomer(meteredFeature(candidate), usage.customerId, billed.period, signal)
        : '0';
      lines.push({ ...common, quantity, billed });
    }
    return lines;
  };

  return {
    estimate: async (request, signal) => {
      const candidate = await candidateOf(toRateCard(request.rate_card), request.currency, 'rate_card');
      const usage = request.usage && (await usageOf(request.usage));
      if (needsQuantity(candidate.card) && request.quantity === undefined && usage === undefined) {
        throw estimateProblem(
          'required',
          'quantity',
          `or usage is required for a ${candidate.card.terms.price.type} price`,
        );
      }
      const inputs = await linesOf(candidate, { quantity: request.quantity, usage }, signal);
      return toEstimate(inputs.map((input) => rated(input, candidate.path)));
    },
  };
}

function needsQuantity({ terms: { price } }: RateCard): boolean {
  return price.type !== 'free' && price.type !== 'flat';
}

function meteredFeature({ card, feature, path }: Candidate): Feature {
  if (feature?.meter !== undefined) return feature;
  const reason = feature === undefined ? 'is required to know the usage' : `feature "${feature.key}" has no meter`;
  const rule = feature === undefined ? 'required' : 'invalid';
  throw estimateProblem(rule, `${path}.feature`, `${reason} of a ${card.terms.price.type} price`);
}

function periodsOf({ card, path }: Candidate, within: Period): BilledPeriod[] {
  const { billingCadence } = card;
  const cadence = billingCadence === undefined ? undefined : parseIsoDuration(billingCadence);
  if (cadence !== undefined && !isAtLeastAnHour(cadence)) {
    throw estimateProblem('invalid', `${path}.billing_cadence`, 'must be at least an hour');
  }
  const periods = billedPeriods(within, billingCadence, MAX_LINES);
  if (periods !== undefined) return periods;
  throw estimateProblem('invalid', 'usage.to', `makes more than ${MAX_LINES} billing periods of ${billingCadence}`);
}

function rated(input: LineInput, path: string): RatedEstimateLine {
  try {
    return rateLine(input);
  } catch (error) {
    if (error instanceof RatingError) throw unratable(error, path);
    throw error;
  }
}

function toEstimate(lines: readonly RatedEstimateLine[]): Estimate {
  const byCurrency = Map.groupBy(lines, ({ currency }) => currency.code);
  return {
    totals: [...byCurrency.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const sum = sumTotals(
        group.map(({ totals }) => totals),
        first.currency,
      );
      return [{ currency: first.currency.code, ...toTotals(sum) }];
    }),
    lines: lines.map(({ line }) => line),
  };
}
