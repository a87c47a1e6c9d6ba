import {
  DomainProblem,
  type InvalidParameter,
  invalidParameter,
  notFound,
  RequestProblem,
  type ValidationError,
  validationProblem,
} from '../../platform/errors.ts';

/** The codes of this module: what broke, and the field that has to change. */
export const FEATURE_ERRORS = {
  feature_invalid_meter_aggregation: { field: 'meter.id', message: 'the meter cannot be used for a feature' },
  feature_invalid_filter: { field: 'meter.filters', message: 'is not a dimension of the meter' },
  feature_llm_cost_without_meter: { field: 'unit_cost.type', message: 'an LLM unit cost needs a feature with a meter' },
  feature_invalid_cost_property: { field: 'unit_cost', message: 'is not a dimension of the meter' },
} as const;
export type FeatureErrorCode = keyof typeof FEATURE_ERRORS;

/** One violated rule. @param detail what exactly, before or after the code's sentence */
export function violation(code: FeatureErrorCode, message: string, field?: string): ValidationError {
  return { code, field: field ?? FEATURE_ERRORS[code].field, message, severity: 'critical' };
}

/** 400 with everything that is wrong. */
export function invalidFeature(errors: readonly [ValidationError, ...ValidationError[]]): DomainProblem {
  return validationProblem('bad-request', errors);
}

export function featureNotFound(id: string): RequestProblem {
  return notFound('feature', id);
}

/** 404: an archived feature can be read, not changed. */
export function featureArchived(id: string, archivedAt: string): RequestProblem {
  return new RequestProblem('not-found', `feature ${id} was archived at ${archivedAt}`);
}

/** 400: the feature names a meter that does not exist or was deleted. */
export function meterMissing(id: string, isDeleted: boolean): RequestProblem {
  const parameter: InvalidParameter = {
    field: 'meter.id',
    rule: 'missing_reference',
    reason: isDeleted ? `the meter was deleted: ${id}` : `meter not found: ${id}`,
    source: 'body',
  };
  return invalidParameter(parameter);
}

/** 409: a living feature has the key. */
export function featureKeyTaken(key: string, holderId: string): DomainProblem {
  return new DomainProblem('resource-conflict', `feature ${holderId} with key "${key}" already exists`, {
    conflictingEntityId: holderId,
  });
}

interface FeatureRef {
  id: string;
  key: string;
}

/** A refusal names this many features; more help nobody. */
const MAX_NAMED_FEATURES = 10;

/** 409: features stand on the meter. @param what happens to the meter, "be deleted" */
export function meterInUse(meterKey: string, what: string, features: readonly FeatureRef[]): DomainProblem {
  const named = features.slice(0, MAX_NAMED_FEATURES);
  const more = features.length > named.length ? ` and ${features.length - named.length} more` : '';
  const list = named.map(({ key }) => `"${key}"`).join(', ');
  return new DomainProblem(
    'resource-conflict',
    `meter "${meterKey}" cannot ${what}: it is used by ${features.length === 1 ? 'feature' : 'features'} ${list}${more}`,
    { features: named.map(({ id, key }) => ({ id, key })) },
  );
}
