import { codedProblems } from '../../platform/coded-problems.ts';
import { DomainProblem, notFound, type RequestProblem } from '../../platform/errors.ts';

const RULE_ERRORS = {
  notification_channel_not_found: { field: 'channels', message: 'there is no such channel' },
  notification_feature_not_found: { field: 'features', message: 'there is no such feature' },
  notification_rule_type_fixed: { field: 'type', message: 'the type of a rule cannot be changed' },
  notification_rules_too_many: { field: undefined, message: 'there are as many rules of the type as there can be' },
} as const;

/** 400 with one of the codes. */
export const ruleProblem = codedProblems(RULE_ERRORS);

export function ruleNotFound(id: string): RequestProblem {
  return notFound('notification rule', id);
}

export function ruleDeleted(id: string): DomainProblem {
  return new DomainProblem('gone', `notification rule ${id} was deleted`);
}
