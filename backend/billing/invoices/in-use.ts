import type { DomainProblem } from '../../platform/errors.ts';
import type { Scope } from '../../platform/scope.ts';
import { adjustmentRepository } from '../adjustments/index.ts';
import { chargeRepository, customerHasCharges } from '../charges/index.ts';
import { invoiceRepository } from '../invoice-records/index.ts';
import { invoiceProblem } from './errors.ts';

/** What other modules want to know of invoices, inside their transactions. */
export const invoicesInUse = {
  /** Customers with invoices that are not final. */
  customersWithOpen: (scope: Scope): Promise<string[]> => invoiceRepository(scope).customersWithOpen(),
  /** Invoices that are not final, by profile, app or customer: the first few. */
  open: (scope: Scope, of: { customerId?: string; profileId?: string; appId?: string }) =>
    invoiceRepository(scope).open(of, MAX_NAMED),
  /** Why a customer cannot be deleted: invoices that are not final, charges that are on none yet, what it has to get back. */
  blockDeletion: async (customerId: string, scope: Scope): Promise<DomainProblem | undefined> => {
    const open = await invoiceRepository(scope).open({ customerId }, MAX_NAMED);
    const charges = (await chargeRepository(scope).open(customerId)).length;
    const owed = await adjustmentRepository(scope).owed(customerId);
    if (open.length === 0 && charges === 0) {
      if (owed.length === 0) return undefined;
      const sums = owed.map(({ currency, amount }) => `${amount} ${currency}`).join(', ');
      return invoiceProblem('customer_has_open_credit', sums, { attributes: { owed } });
    }
    const named = [
      ...open.map(({ number }) => number),
      ...(charges === 0 ? [] : [`${charges} charges are still to be invoiced`]),
    ];
    return invoiceProblem('customer_has_open_invoices', named.join(', '), {
      attributes: { invoices: open.map(({ id, number }) => ({ id, number })), charges },
    });
  },
  /** Why a customer cannot get another time than it has: its charges would lie in a past or a future that never was. */
  blockTimeTravel: async (customerId: string, scope: Scope): Promise<DomainProblem | undefined> =>
    (await chargeRepository(scope).hasAny(customerId)) ? customerHasCharges() : undefined,
};

/** Invoices named in an answer that refuses something. */
const MAX_NAMED = 20;
