import type { Feature, Features } from '../../catalog/features/index.ts';
import { chargesUsage, priceLabel, RatingError, sumTotals } from '../../catalog/rating/index.ts';
import type { Customers } from '../../customers/customers/index.ts';
import { parseInstant } from '../../platform/instant.ts';
import { isAtLeastAnHour, parseIsoDuration } from '../../platform/iso-duration.ts';
import type { Period } from '../../platform/period/index.ts';
import { type BilledPeriod, billedPeriods } from './billing-periods.ts';
import { type Candidate, type CandidateSources, findCandidates } from './candidates.ts';
import { estimateProblem, unratable } from './errors.ts';
import { estimateLine, type LineInput, type RatedEstimateLine, toTotals } from './estimate-line.ts';
import type { Estimate, EstimateRequest } from './schema.ts';

/** Each line may be a query of usage: more than a year by days is a report, not a question. */
const MAX_LINES = 400;

export interface CostEstimatesService {
  /**
   * What quantities, or a customer's past usage, would cost.
   * @throws RequestProblem 400 that names the field @throws DomainProblem 400 for terms that cannot be rated
   */
  estimate(request: EstimateRequest, signal?: AbortSignal): Promise<Estimate>;
}

export interface CostEstimatesDeps extends CandidateSources {
  features: Features;
  customers: Pick<Customers, 'findByIds'>;
}

/** Usage to rate. */
interface PastUsage {
  customerId: string;
  period: Period;
}

export function createCostEstimatesService(deps: CostEstimatesDeps): CostEstimatesService {
  const { features, customers } = deps;

  const readUsage = async (request: NonNullable<EstimateRequest['usage']>): Promise<PastUsage> => {
    const fromMs = parseInstant(request.from) ?? Number.NaN;
    const toMs = parseInstant(request.to) ?? Number.NaN;
    if (fromMs >= toMs) throw estimateProblem('invalid', 'usage.to', 'must be after usage.from');
    const customerId = request.customer.id;
    if (!(await customers.findByIds([customerId])).has(customerId)) {
      throw estimateProblem('missing_reference', 'usage.customer.id', `customer not found: ${customerId}`);
    }
    return { customerId, period: { fromMs, toMs } };
  };

  /** One line for each billing period. */
  const linesOfUsage = async (
    candidates: readonly Candidate[],
    usage: PastUsage,
    signal: AbortSignal | undefined,
  ): Promise<RatedEstimateLine[]> => {
    const lines: { candidate: Candidate; billed: BilledPeriod }[] = [];
    for (const candidate of candidates) {
      for (const billed of periodsOf(candidate, usage.period, MAX_LINES - lines.length)) {
        lines.push({ candidate, billed });
      }
    }
    const metered = lines.filter(({ candidate }) => chargesUsage(candidate.card.terms.price));
    const asked = metered.map(({ candidate, billed: { period } }) => ({ feature: meteredFeature(candidate), period }));
    const measured = await features.usage.measure(usage.customerId, asked, signal);
    const quantities = new Map(metered.map((line, index) => [line, measured[index]?.value]));
    return lines.map((line) => rated(line.candidate, { quantity: quantities.get(line) ?? '0', billed: line.billed }));
  };

  return {
    estimate: async (request, signal) => {
      const candidates = await findCandidates(request, deps);
      if (request.usage !== undefined) {
        return toEstimate(await linesOfUsage(candidates, await readUsage(request.usage), signal));
      }
      checkQuantities(request, candidates);
      const quantityOf = ({ card }: Candidate) => request.quantities?.[card.key] ?? request.quantity ?? '0';
      return toEstimate(
        candidates.map((candidate) => rated(candidate, { quantity: quantityOf(candidate), billed: undefined })),
      );
    },
  };
}

/** A quantity that would change nothing is a mistake; so is a usage price without one where only one is asked about. */
function checkQuantities(request: EstimateRequest, candidates: readonly Candidate[]): void {
  for (const key of Object.keys(request.quantities ?? {})) {
    const found = candidates.find(({ card }) => card.key === key);
    if (found === undefined) {
      throw estimateProblem('missing_reference', `quantities.${key}`, 'is the key of no rate card of the phase');
    }
    if (chargesUsage(found.card.terms.price)) continue;
    const label = priceLabel(found.card.terms.price);
    throw estimateProblem('invalid', `quantities.${key}`, `is the key of a rate card with a ${label}`);
  }
  const [first] = candidates;
  if (request.rate_card === undefined || request.quantity !== undefined) return;
  if (first === undefined || !chargesUsage(first.card.terms.price)) return;
  throw estimateProblem('required', 'quantity', `or usage is required for a ${priceLabel(first.card.terms.price)}`);
}

function meteredFeature({ card, feature, path }: Candidate): Feature {
  if (feature?.meter !== undefined) return feature;
  const reason = feature === undefined ? 'is required to know the usage' : `"${feature.key}" has no meter: no usage`;
  const rule = feature === undefined ? 'required' : 'invalid';
  throw estimateProblem(rule, `${path}.feature`, `${reason} of a ${priceLabel(card.terms.price)}`);
}

function periodsOf({ card, path }: Candidate, within: Period, max: number): BilledPeriod[] {
  const { billingCadence } = card;
  const cadence = billingCadence === undefined ? undefined : parseIsoDuration(billingCadence);
  if (cadence !== undefined && !isAtLeastAnHour(cadence)) {
    throw estimateProblem('invalid', `${path}.billing_cadence`, 'must be at least an hour');
  }
  const periods = max > 0 ? billedPeriods(within, billingCadence, max) : undefined;
  if (periods !== undefined) return periods;
  throw estimateProblem('invalid', 'usage.to', `makes more than ${MAX_LINES} lines, one for each billing period`);
}

function rated(candidate: Candidate, amount: Pick<LineInput, 'quantity' | 'billed'>): RatedEstimateLine {
  const { card, currency, feature, isProrated, path } = candidate;
  try {
    return estimateLine({
      card,
      currency,
      isProrated,
      feature: feature && { id: feature.id, key: feature.key },
      ...amount,
    });
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
