/** Tax rates of one's own, what customers are for taxes, and the taxes of an invoice. */
export { chooseTax, type Tax, type TaxParties } from './choose.ts';
export { createTally, type TaxGroup, type TaxTally } from './compute.ts';
export { taxRoutes } from './routes.ts';
export { type CustomerTax, invoiceTaxesSchema, NO_CUSTOMER_TAX } from './schema.ts';
export { createTaxService, type TaxRules, type TaxService } from './service.ts';
