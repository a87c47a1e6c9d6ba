import { balanceThreshold, entitlementReset } from './entitlements.ts';
import { invoiceCreated, invoiceUpdated } from './invoices.ts';
import type { RuleType, RuleTypeDefinition } from './rule-type.ts';

export type { Threshold } from './entitlements.ts';
export { RULE_TYPES, type RuleType, type RuleTypeDefinition } from './rule-type.ts';

/** All that a type is, in one place. */
export const RULE_TYPE_DEFINITIONS: Readonly<Record<RuleType, RuleTypeDefinition>> = {
  'entitlements.balance.threshold': balanceThreshold,
  'entitlements.reset': entitlementReset,
  'invoice.created': invoiceCreated,
  'invoice.updated': invoiceUpdated,
};
