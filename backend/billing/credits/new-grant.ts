import type { CustomerScope } from '../../customers/test-clocks/index.ts';
import { fiatCurrency } from '../../platform/currencies.ts';
import { Decimal, formatDecimal, ZERO } from '../../platform/decimal.ts';
import { defined } from '../../platform/defined.ts';
import { type Currency, roundMoney } from '../../platform/money.ts';
import { addDuration, durationFrom, truncateMs } from '../../platform/period/index.ts';
import type { CreditsDeps } from './deps.ts';
import { creditProblem } from './errors.ts';
import type { CreateGrant } from './schema.ts';
import type { Purchase, StoredLot } from './stored.ts';

/** @throws DomainProblem 400 when there is no currency of the code */
export async function creditCurrency(deps: CreditsDeps, code: string, scope: CustomerScope): Promise<Currency> {
  const currency = await deps.findCurrency(code, scope);
  if (currency === undefined) throw creditProblem('credit_currency_not_known', code);
  return currency;
}

/** What is billed falls due at whole seconds: what is granted before a fee in the same second pays for it. */
export function fromNow(nowMs: number): number {
  return truncateMs(nowMs, 1000);
}

/** Instants have years of four digits. */
const END_OF_TIME_MS = Date.UTC(10_000, 0, 1);

/** By the calendar, in UTC: a month after January 31 is February's last day. @throws DomainProblem 400 */
export function expiryOf(effectiveAtMs: number, expiresAfter: string): number {
  const expiresAtMs = addDuration(effectiveAtMs, durationFrom(expiresAfter));
  if (expiresAtMs <= effectiveAtMs) throw creditProblem('credit_grant_expiry_invalid');
  if (expiresAtMs >= END_OF_TIME_MS) throw creditProblem('credit_grant_expiry_invalid', 'the year has five digits');
  return expiresAtMs;
}

/** What credit costs, rounded to the currency that it is bought in. */
export function purchaseAmount(amount: Decimal, costBasis: Decimal, currency: Currency): Decimal {
  return roundMoney(amount.mul(costBasis), currency);
}

/** The lot that a request asks for, not booked yet. @throws DomainProblem 400 */
export async function newGrant(
  deps: CreditsDeps,
  scope: CustomerScope,
  request: CreateGrant,
  { nowMs, seq, currency }: { nowMs: number; seq: number; currency: Currency },
): Promise<StoredLot> {
  const { priority, funding_method: funding, tax_config } = request;
  const amount = roundMoney(new Decimal(request.amount), currency);
  if (amount.lte(0)) throw creditProblem('credit_grant_amount_not_positive');
  const purchase = purchaseOf(request, amount);
  const effectiveAtMs = request.effective_at === undefined ? fromNow(nowMs) : Date.parse(request.effective_at);
  const { expires_after } = request;
  return {
    kind: 'grant',
    customerId: scope.customerId,
    currency: currency.code,
    name: request.name,
    updatedAtMs: nowMs,
    ...defined({
      description: request.description,
      labels: request.labels,
      key: request.key,
      purchase,
      taxConfig: tax_config && defined({ behavior: tax_config.behavior, taxCodeId: tax_config.tax_code?.id }),
    }),
    lot: {
      id: scope.newId(),
      seq,
      amount,
      priority,
      features: await featuresOf(deps, scope, request),
      funding,
      costBasis: purchase === undefined ? ZERO : new Decimal(purchase.perUnitCostBasis),
      createdAtMs: nowMs,
      effectiveAtMs,
      ...(expires_after !== undefined && { expiresAtMs: expiryOf(effectiveAtMs, expires_after) }),
    },
  };
}

/** @throws DomainProblem 400 for a tax code that is not there */
export async function checkTaxCode(deps: CreditsDeps, scope: CustomerScope, request: CreateGrant): Promise<void> {
  const id = request.tax_config?.tax_code?.id;
  if (id === undefined) return;
  const found = (await deps.findTaxCodes([id], scope)).get(id);
  if (found === undefined || found.deleted_at !== undefined) throw creditProblem('credit_grant_tax_code_not_found', id);
}

function purchaseOf({ funding_method, purchase }: CreateGrant, amount: Decimal): Purchase | undefined {
  if (funding_method === 'none') {
    if (purchase !== undefined) throw creditProblem('credit_grant_purchase_not_allowed');
    return undefined;
  }
  if (purchase === undefined) throw creditProblem('credit_grant_purchase_required');
  const currency = fiatCurrency(purchase.currency);
  if (currency === undefined) {
    throw creditProblem('credit_currency_not_known', purchase.currency, { field: 'purchase.currency' });
  }
  const price = purchaseAmount(amount, new Decimal(purchase.per_unit_cost_basis), currency);
  if (price.lte(0)) throw creditProblem('credit_grant_purchase_invalid');
  return {
    currency: currency.code,
    amount: formatDecimal(price),
    perUnitCostBasis: purchase.per_unit_cost_basis,
    payments: [],
  };
}

/** A feature that was archived since may still have usage to pay for. */
async function featuresOf(deps: CreditsDeps, scope: CustomerScope, { filters }: CreateGrant): Promise<string[]> {
  const keys = filters?.features ?? [];
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw creditProblem('credit_grant_features_invalid', twice);
  const known = await deps.findFeaturesByKey(keys, scope);
  const unknown = keys.find((key) => !known.has(key));
  if (unknown !== undefined) throw creditProblem('credit_grant_features_invalid', unknown);
  return keys;
}
