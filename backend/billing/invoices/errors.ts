import { DomainProblem, notFound, type RequestProblem, validationProblem } from '../../platform/errors.ts';

/** The codes of invoices, as the contract's reference implementation names them where it has them. All answer 400. */
const INVOICE_ERRORS = {
  invoice_action_not_available: { field: undefined, message: 'the invoice does not allow this in its status' },
  invoice_cannot_advance: { field: undefined, message: 'the invoice cannot advance now' },
  invoice_cannot_be_edited: { field: undefined, message: 'the invoice cannot be edited any more' },
  invoice_cannot_delete_gathering: { field: undefined, message: 'the invoice in the making cannot be deleted' },
  invoice_create_no_lines: { field: undefined, message: 'there is nothing to invoice' },
  invoice_line_not_found: { field: 'lines', message: 'the invoice has no such line' },
  invoice_line_twice: { field: 'lines', message: 'each line of the invoice can be sent once' },
  invoice_line_cannot_change: {
    field: 'lines',
    message: 'only name, description, labels, price and tax can be changed',
  },
  invoice_line_needs_feature: { field: 'lines', message: 'a usage price needs a feature with a meter' },
  invoice_line_volume_split: { field: 'lines', message: 'a part of a period cannot have a volume price' },
  invoice_pricing_invalid: { field: 'lines', message: 'the price cannot be rated' },
  charge_feature_not_found: { field: 'feature_id', message: 'there is no such feature with a meter' },
  charge_currency_not_known: { field: 'currency', message: 'there is no such currency' },
  charge_settlement_mode_not_supported: {
    field: 'settlement_mode',
    message: 'credit_only draws from credits, which this server does not have yet: use credit_then_invoice',
  },
  charge_period_invalid: { field: 'service_period', message: 'the period must not end before it begins' },
  customer_has_open_invoices: { field: undefined, message: 'the customer has invoices that are not final' },
  customer_has_open_credit: {
    field: undefined,
    message: 'the customer has to get something back: pay it out or write it off first',
  },
  correction_is_no_credit: { field: 'how', message: 'only what the customer has to get back can be paid out' },
  external_invoicing_only: { field: undefined, message: 'the invoice is not issued by an external_invoicing app' },
} as const;
export type InvoiceErrorCode = keyof typeof INVOICE_ERRORS;

/** 400 with one of the codes. @param detail what exactly, appended to the code's sentence */
export function invoiceProblem(
  code: InvoiceErrorCode,
  detail?: string,
  options: { field?: string; attributes?: Record<string, unknown> } = {},
): DomainProblem {
  const { field: usualField, message } = INVOICE_ERRORS[code];
  const field = options.field ?? usualField;
  return validationProblem('bad-request', [
    {
      code,
      ...(field !== undefined && { field }),
      message: detail === undefined ? message : `${message}: ${detail}`,
      severity: 'critical',
      ...(options.attributes !== undefined && { attributes: options.attributes }),
    },
  ]);
}

export function invoiceNotFound(id: string): RequestProblem {
  return notFound('invoice', id);
}

/** 409: the invoice was deleted. */
export function invoiceDeleted(id: string): DomainProblem {
  return new DomainProblem('resource-conflict', `invoice ${id} was deleted`);
}

/** 409: the customer's past would lie in the future, or the other way round. */
export function customerHasCharges(): DomainProblem {
  return new DomainProblem('resource-conflict', 'the customer has charges and keeps the time it has');
}

/** 409: what is on an invoice, or settled already, cannot be settled otherwise. */
export function correctionSettled(id: string, state: string): DomainProblem {
  return new DomainProblem('resource-conflict', `billing correction ${id} waits for no invoice: it is ${state}`);
}

/** 409: others kept changing the invoice while this request wanted to. */
export function invoiceChangedMeanwhile(id: string): DomainProblem {
  return new DomainProblem('resource-conflict', `invoice ${id} was changed at the same time: try again`);
}

/** 409: the same idempotency key with another charge. */
export function chargeReferenceTaken(reference: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'charge_unique_reference_taken',
      field: 'unique_reference_id',
      message: `the customer has a charge with the reference ${JSON.stringify(reference)}`,
      severity: 'critical',
    },
  ]);
}
