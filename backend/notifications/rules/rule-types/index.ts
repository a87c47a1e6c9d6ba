import { invoiceCreated, invoiceUpdated } from './invoices.ts';
import type { RuleType, RuleTypeDefinition } from './rule-type.ts';

export { RULE_TYPES, type RuleType, type RuleTypeDefinition } from './rule-type.ts';

/** All that a type is, in one place. */
export const RULE_TYPE_DEFINITIONS: Readonly<Record<RuleType, RuleTypeDefinition>> = {
  'invoice.created': invoiceCreated,
  'invoice.updated': invoiceUpdated,
};
