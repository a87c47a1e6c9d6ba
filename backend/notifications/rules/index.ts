/** Rules: what is told to which channels. */
export { ruleRoutes } from './routes.ts';
export type { RuleType, Threshold } from './rule-types/index.ts';
export { createRulesService, namesOfRulesUsing, type RulesService } from './service.ts';
export type { Rule } from './types.ts';
