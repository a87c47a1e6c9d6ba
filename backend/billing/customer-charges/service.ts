/** Charges as the API has them: what a customer is billed for, made by subscriptions or by hand. */

import { isDeepStrictEqual } from 'node:util';
import {
  findPricingProblems,
  NO_TOTALS,
  type PricingTerms,
  prorate,
  sumTotals,
  type Totals,
} from '../../catalog/rating/index.ts';
import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { customerScope } from '../../customers/test-clocks/index.ts';
import { fiatCurrency } from '../../platform/currencies.ts';
import { defined } from '../../platform/defined.ts';
import { notFound, RequestProblem } from '../../platform/errors.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import type { Currency } from '../../platform/money.ts';
import { type Period, toTextPeriod } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import { type BillingRunsDeps, syncCustomer } from '../billing-runs/index.ts';
import {
  type Charge,
  type ChargeContent,
  type ChargeSortField,
  chargeProblem,
  chargeReferenceTaken,
  chargeRepository,
  currencyOf,
} from '../charges/index.ts';
import { asEdited, isMissing, lineRepository, rateLine, readUsage } from '../invoice-records/index.ts';
import { followGathering, invoiceProblem } from '../invoices/index.ts';
import { type ChargeStatus, toChargeBody } from './body.ts';
import type { CreateCharge } from './schema.ts';

export const CHARGE_SORT: SortRules<ChargeSortField> = {
  fields: ['id', 'created_at', 'service_period.from', 'billing_period.from'],
  default: 'id',
  defaultDirection: 'asc',
};

type ChargeAnswer = ReturnType<typeof toChargeBody>;

export interface ChargesService {
  /**
   * Twice the same charge with the same unique_reference_id is one.
   * @throws RequestProblem 404, 410 @throws DomainProblem 400, 409
   */
  create(customerId: string, request: CreateCharge): Promise<ChargeAnswer>;
  list(
    customerId: string,
    options: {
      statuses: readonly ChargeStatus[] | undefined;
      sort: Sort<ChargeSortField>;
      page: PageRequest;
      withRealtime: boolean;
    },
  ): Promise<{ data: ChargeAnswer[]; meta: ReturnType<typeof pageMeta> }>;
}

export function createChargesService(root: Scope, deps: BillingRunsDeps): ChargesService {
  return {
    create: async (customerId, request) => {
      const scope = await customerScope(root, customerId);
      const charge = await newCharge(deps, scope, customerId, request);
      return scope.transaction(async (scope) => {
        const customer = await deps.findCustomer(customerId, scope);
        if (customer === undefined) throw notFound('customer', customerId);
        if (customer.deleted_at !== undefined) throw new RequestProblem('gone', `customer ${customerId} was deleted`);
        const known =
          charge.reference === undefined
            ? undefined
            : await chargeRepository(scope).byReference(customerId, charge.reference);
        if (known !== undefined) {
          if (!isSameCharge(known, charge)) throw chargeReferenceTaken(charge.reference ?? '');
          return toChargeBody(known, scope.clock.nowMs(), await totalsOfCharge(deps, scope, known, false));
        }
        await chargeRepository(scope).insert([charge]);
        await followGathering(scope, customer, charge.currency);
        return toChargeBody(charge, scope.clock.nowMs(), { booked: NO_TOTALS });
      });
    },
    list: async (customerId, { statuses, sort, page, withRealtime }) => {
      const scope = await customerScope(root, customerId);
      if ((await deps.findCustomer(customerId, scope)) === undefined) throw notFound('customer', customerId);
      await syncCustomer(deps, scope, customerId);
      const { charges, total } = await chargeRepository(scope).page(customerId, {
        statuses,
        nowMs: scope.clock.nowMs(),
        sort,
        limit: page.size,
        offset: (page.number - 1) * page.size,
      });
      const data: ChargeAnswer[] = [];
      for (const charge of charges) {
        const shown = await asItStands(deps, scope, charge);
        const totals = await totalsOfCharge(deps, scope, shown, withRealtime);
        data.push(toChargeBody(shown, scope.clock.nowMs(), totals));
      }
      return { data, meta: pageMeta(page, total) };
    },
  };
}

function isSameCharge(known: Charge, wanted: Charge): boolean {
  const content = ({ id: _, state: __, createdAtMs: ___, updatedAtMs: ____, billedToMs: _____, ...rest }: Charge) =>
    rest;
  return isDeepStrictEqual(content(known), content(wanted));
}

async function newCharge(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  customerId: string,
  request: CreateCharge,
): Promise<Charge> {
  const nowMs = scope.clock.nowMs();
  const { unique_reference_id } = request;
  return {
    ...(await contentOf(deps, scope, request)),
    id: scope.newId(),
    customerId,
    ...(unique_reference_id !== undefined && { reference: unique_reference_id }),
    controller: 'manual',
    state: 'open',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

async function contentOf(deps: BillingRunsDeps, scope: CustomerScope, request: CreateCharge): Promise<ChargeContent> {
  const currency = fiatCurrency(request.currency);
  if (currency === undefined) throw chargeProblem('charge_currency_not_known', request.currency);
  const servicePeriod = readPeriod(request.service_period, 'service_period');
  const fullServicePeriod = readPeriod(request.full_service_period ?? request.service_period, 'full_service_period');
  const billingPeriod = readPeriod(request.billing_period ?? request.service_period, 'billing_period');
  const terms = termsOf(request);
  const [problem] = findPricingProblems(terms);
  if (problem !== undefined) throw invoiceProblem('invoice_pricing_invalid', problem.message, { field: problem.field });
  const { tax_config } = request;
  return {
    currency: request.currency,
    name: request.name,
    terms,
    settlementMode: request.settlement_mode,
    prorationMode: request.type === 'flat_fee' ? request.proration_configuration.mode : 'no_proration',
    servicePeriod,
    fullServicePeriod,
    billingPeriod,
    invoiceAtMs: Date.parse(request.invoice_at),
    ...(await featureOf(deps, scope, request)),
    ...defined({
      description: request.description,
      labels: request.labels,
      amount: amountOf(request, currency, servicePeriod, fullServicePeriod),
      taxConfig: tax_config && defined({ behavior: tax_config.behavior, taxCodeId: tax_config.tax_code?.id }),
    }),
  };
}

function termsOf(request: CreateCharge): PricingTerms {
  const { discounts } = request;
  const kept = discounts === undefined ? {} : { discounts: defined(discounts) };
  if (request.type === 'usage_based') return { price: request.price, ...kept };
  const price = { type: 'flat' as const, amount: request.amount_before_proration.amount };
  return { price, payment_term: request.payment_term, ...kept };
}

function amountOf(request: CreateCharge, currency: Currency, service: Period, full: Period): string | undefined {
  if (request.type === 'usage_based') return undefined;
  const { amount, currency: code } = request.amount_before_proration;
  if (code !== currency.code) {
    throw chargeProblem('charge_currency_not_known', `${code} differs from ${currency.code}`, {
      field: 'amount_before_proration.currency',
    });
  }
  return prorate({
    amount,
    currency,
    servicePeriod: toTextPeriod(service),
    fullServicePeriod: toTextPeriod(full),
    prorationEnabled: request.proration_configuration.mode === 'prorate_prices',
  }).amount;
}

function readPeriod(period: { from: string; to: string }, field: string): Period {
  const [fromMs, toMs] = [Date.parse(period.from), Date.parse(period.to)];
  if (fromMs > toMs) throw chargeProblem('charge_period_invalid', undefined, { field });
  return { fromMs, toMs };
}

async function featureOf(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  request: CreateCharge,
): Promise<Pick<ChargeContent, 'featureId' | 'featureKey'>> {
  const { feature_id } = request;
  const key = request.type === 'usage_based' ? request.feature_key : undefined;
  if (feature_id === undefined && key === undefined && request.type === 'flat_fee') return {};
  const found =
    feature_id !== undefined
      ? (await deps.findFeatures([feature_id], scope)).get(feature_id)
      : key === undefined
        ? undefined
        : (await deps.findFeaturesByKey([key], scope)).get(key);
  if (found === undefined || (request.type === 'usage_based' && found.meter === undefined)) {
    throw chargeProblem('charge_feature_not_found', feature_id ?? key ?? 'none is given');
  }
  return { featureId: found.id, featureKey: found.key };
}

/** With what a person has set on its line. */
async function asItStands(deps: BillingRunsDeps, scope: CustomerScope, charge: Charge): Promise<Charge> {
  if (charge.controller === 'system') return charge;
  const lines = await lineRepository(scope).ofCharge(charge.id);
  const edited = lines.findLast((line) => line.kind === 'charge' && line.overrides !== undefined);
  return edited === undefined ? charge : asEdited(charge, edited, await currencyOf(deps, charge.currency, scope));
}

/** What stands on invoices, and what the whole charge comes to with the usage so far. */
async function totalsOfCharge(
  deps: BillingRunsDeps,
  scope: CustomerScope,
  charge: Charge,
  withRealtime: boolean,
): Promise<{ booked: Totals; realtime?: Totals }> {
  if (charge.amount !== undefined) return { booked: NO_TOTALS };
  const lines = await lineRepository(scope).ofCharge(charge.id);
  const standing = lines.filter(
    (line) => line.deletedAtMs === undefined && !['deleted', 'voided'].includes(line.invoiceStatus),
  );
  const currency = await currencyOf(deps, charge.currency, scope);
  const booked = sumTotals(
    standing.map((line) => line.rated?.totals ?? NO_TOTALS),
    currency,
  );
  if (!withRealtime) return { booked };
  const measured = await readUsage(deps, scope, charge, charge.customerId, charge.servicePeriod);
  if (isMissing(measured)) return { booked };
  const whole = { ...charge, quantity: measured.value, fullServicePeriod: charge.servicePeriod };
  const none = { splitPosition: 'single', previousQuantity: '0', previouslyBilledAmount: '0' } as const;
  return { booked, realtime: rateLine({ ...whole, ...none }, currency, scope.newId).totals };
}
