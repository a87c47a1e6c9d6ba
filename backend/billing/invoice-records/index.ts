/** Invoices and their lines as they are stored: their states, the rating of a line, the usage that it bills. */
export { isBilled, isLineLetOff, isTakenBack } from './billed-lines.ts';
export type { RecordsDeps } from './deps.ts';
export { asEdited, billedTerms, followCharge } from './follow-charge.ts';
export { type GatherOptions, gatherLines, type LineDraft } from './gather.ts';
export {
  commitmentsSchema,
  discountsSchema,
  invoiceLineSchema,
  paymentTermSchema,
  periodSchema,
  priceSchema,
  type TotalsBody,
  totalsSchema,
  type UpdateLine,
  unitConfigSchema,
  updateLineSchema,
} from './line-schema.ts';
export { type LineOfCharge, lineRepository } from './lines/repository.ts';
export { nextNumber } from './next-number.ts';
export { draftNumber, gatheringNumber, isDraftNumber, issuedNumber, profileNumbers } from './numbers.ts';
export {
  earlierParts,
  quantityOfPart,
  type ReadQuantities,
  readQuantities,
  waitsForEarlierPart,
} from './quantities.ts';
export { netOf, rateLine, totalsOf, untaxed } from './rate-line.ts';
export { INVOICES_SEARCHED, type InvoiceFilterField, type InvoiceSortField, invoiceRepository } from './repository.ts';
export {
  type ExtendedStatus,
  type Facts,
  followsCharges,
  isEditable,
  isFailed,
  isImmutable,
  nextStatus,
  type ShortStatus,
  stands,
  statusOf,
  type Trigger,
  transition,
} from './states.ts';
export type {
  Invoice,
  InvoiceCustomer,
  InvoiceLine,
  LineField,
  LineOverrides,
  StoredRating,
  ValidationIssue,
} from './types.ts';
export { aggregationsOf, isMetered, isMissing, readUsage, readUsages } from './usage.ts';
export { usageBehind } from './usage-behind.ts';
