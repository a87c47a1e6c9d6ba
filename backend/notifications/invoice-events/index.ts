import type { InvoiceBody, InvoiceChange } from '../../billing/invoices/index.ts';
import type { Scope } from '../../platform/scope.ts';
import type { Rule, RulesService } from '../rules/index.ts';

export interface InvoiceEventsDeps {
  rules: Pick<RulesService, 'inForce' | 'tell'>;
  /** The invoice as the API answers it. @param lines undefined: without them */
  present(
    scope: Scope,
    invoice: InvoiceChange['invoice'],
    lines: InvoiceChange['lines'] | undefined,
  ): Promise<InvoiceBody>;
}

export interface InvoiceEvents {
  /** Tells who wants to know, in the transaction of the change. */
  onInvoice(change: InvoiceChange, scope: Scope): Promise<void>;
}

/** Lines of a message at most: with more it would be longer than receivers take, and the invoice is asked for anyway. */
const MAX_LINES = 200;
const MAX_BYTES = 262_144;

/** What happens to invoices becomes messages. */
export function createInvoiceEvents(deps: InvoiceEventsDeps): InvoiceEvents {
  return {
    onInvoice: async (change, scope) => {
      const { previous } = change;
      if (previous !== undefined && !isWorthTelling(change)) return;
      const rules = await deps.rules.inForce(previous === undefined ? 'invoice.created' : 'invoice.updated', scope);
      if (rules.length > 0) await tell(deps, scope, rules, change);
    },
  };
}

async function tell(deps: InvoiceEventsDeps, scope: Scope, rules: readonly Rule[], change: InvoiceChange) {
  const { invoice, previous } = change;
  const before = previous && (await deps.present(scope, previous, undefined));
  const data = {
    ...(await bodyOf(deps, scope, change)),
    ...(before !== undefined && {
      previous: { status: before.status, extended_status: before.status_details.extended_status },
    }),
  };
  for (const rule of rules) await deps.rules.tell(scope, rule, { data, subject: invoice.customer.key });
}

async function bodyOf({ present }: InvoiceEventsDeps, scope: Scope, { invoice, lines }: InvoiceChange) {
  if (lines.length <= MAX_LINES) {
    const whole = await present(scope, invoice, lines);
    if (Buffer.byteLength(JSON.stringify(whole)) <= MAX_BYTES) return whole;
  }
  return { ...(await present(scope, invoice, undefined)), lines_truncated: true };
}

/** Not each time that a job has looked at it: what people and their books see of it. */
function isWorthTelling({ invoice, previous }: InvoiceChange): boolean {
  return previous === undefined || JSON.stringify(seenOf(invoice)) !== JSON.stringify(seenOf(previous));
}

function seenOf(invoice: InvoiceChange['invoice']) {
  const { status, totals, number, servicePeriod, issuedAtMs, dueAtMs, draftUntilMs, collectionAtMs, deletedAtMs } =
    invoice;
  return [status, totals, number, servicePeriod, issuedAtMs, dueAtMs, draftUntilMs, collectionAtMs, deletedAtMs];
}
