import type { Currency } from '../../platform/money.ts';
import type { Scope } from '../../platform/scope.ts';
import type { ChargesDeps } from './deps.ts';
import { chargeProblem } from './errors.ts';

/** The currency of a charge or an invoice, with its digits. @throws DomainProblem 400 when there is none of the code */
export async function currencyOf(
  deps: Pick<ChargesDeps, 'findCurrency'>,
  code: string,
  scope: Scope,
): Promise<Currency> {
  const currency = await deps.findCurrency(code, scope);
  if (currency === undefined) throw chargeProblem('charge_currency_not_known', code);
  return currency;
}
