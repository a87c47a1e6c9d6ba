import type { z } from '@hono/zod-openapi';

/** What can be told: a forgotten one does not compile. Names of OpenMeter's where it has them. */
export const RULE_TYPES = [
  'entitlements.balance.threshold',
  'entitlements.reset',
  'invoice.created',
  'invoice.updated',
] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** What is particular to a type of rules. */
export interface RuleTypeDefinition {
  /** For people: when it is told. */
  description: string;
  /** Fields of a rule besides those that every rule has. */
  fields: z.ZodRawShape;
  /** Each that is concerned writes a message in the transaction of what happens. */
  maxRules: number;
  /** Of the payload's `data`. */
  data: z.ZodType;
  /** A valid example of it: what a test of a rule sends. */
  sample: Readonly<Record<string, unknown>>;
}
