import { DomainProblem, notFound, RequestProblem, validationProblem } from '../../platform/errors.ts';

/** The codes of this module. */
const TAX_CODE_ERRORS = {
  tax_code_not_found: 'tax code not found',
  tax_code_managed_by_system: 'tax code is managed by the system and cannot be changed or deleted',
  tax_code_is_organization_default: 'tax code is a default of the organization and cannot be deleted',
} as const;

export function taxCodeNotFound(id: string): RequestProblem {
  return notFound('tax code', id);
}

/** 410: the tax code was deleted. @param deletedAt RFC 3339 text */
export function taxCodeGone(id: string, deletedAt: string): RequestProblem {
  return new RequestProblem('gone', `tax code ${id} was deleted at ${deletedAt}`);
}

/** 409: a living tax code has the key. */
export function taxCodeKeyTaken(key: string, holderId: string): DomainProblem {
  return new DomainProblem('resource-conflict', `tax code ${holderId} with key "${key}" already exists`, {
    conflictingEntityId: holderId,
  });
}

/** 409: the tax code has to stay as it is. */
export function taxCodeFixed(
  code: 'tax_code_managed_by_system' | 'tax_code_is_organization_default',
  key: string,
): DomainProblem {
  const message = `"${key}": ${TAX_CODE_ERRORS[code]}`;
  return validationProblem('resource-conflict', [{ code, message, severity: 'critical' }]);
}

/** 404: a request refers to a tax code that does not exist or was deleted. @param field path of the reference's id */
export function referencedTaxCodeNotFound(id: string, field: string): DomainProblem {
  const message = `${TAX_CODE_ERRORS.tax_code_not_found}: ${id}`;
  return validationProblem('not-found', [{ code: 'tax_code_not_found', field, message, severity: 'critical' }]);
}
