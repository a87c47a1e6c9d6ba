import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, notFound, type RequestProblem } from '../../platform/errors.ts';

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
  customer_has_open_invoices: { field: undefined, message: 'the customer has invoices that are not final' },
  customer_has_open_credit: {
    field: undefined,
    message: 'the customer has to get something back: pay it out or write it off first',
  },
  external_invoicing_only: { field: undefined, message: 'the invoice is not issued by an external_invoicing app' },
} as const;

/** 400 with one of the codes. */
export const invoiceProblem = codedProblems(INVOICE_ERRORS);

export function invoiceNotFound(id: string): RequestProblem {
  return notFound('invoice', id);
}

/** 409: each invoice has a number of its own, also those that an external system gives. */
export function invoiceNumberTaken(number: string): DomainProblem {
  return new DomainProblem('resource-conflict', `invoice_number: another invoice has the number ${number}`);
}

/** 409: the invoice was deleted. */
export function invoiceDeleted(id: string): DomainProblem {
  return new DomainProblem('resource-conflict', `invoice ${id} was deleted`);
}

/** 409: others kept changing the invoice while this request wanted to. */
export function invoiceChangedMeanwhile(id: string): DomainProblem {
  return new DomainProblem('resource-conflict', `invoice ${id} was changed at the same time: try again`);
}
