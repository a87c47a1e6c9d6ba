import { type DomainProblem, notFound, type RequestProblem, validationProblem } from '../../platform/errors.ts';

/** The codes of billing profiles, as the contract's reference implementation names them. All answer 400. */
const PROFILE_ERRORS = {
  profile_already_deleted: { field: undefined, message: 'the billing profile was deleted' },
  profile_referenced: { field: undefined, message: 'the billing profile is still used' },
  default_profile_cannot_be_deleted: { field: undefined, message: 'the default billing profile cannot be deleted' },
  default_profile_cannot_be_unset: {
    field: 'default',
    message: 'there must be a default billing profile: make another one the default instead',
  },
  profile_apps_differ: { field: 'apps', message: 'tax, invoicing and payment must name the same app' },
  profile_app_not_found: { field: 'apps', message: 'there is no such app' },
  profile_not_found: { field: 'billing_profile.id', message: 'there is no such billing profile' },
  stripe_app_not_available: {
    field: 'app_data.stripe',
    message: 'the stripe app is not available yet: use external_invoicing',
  },
} as const;
export type ProfileErrorCode = keyof typeof PROFILE_ERRORS;

/** 400 with one of the codes. @param detail what exactly, appended to the code's sentence */
export function profileProblem(
  code: ProfileErrorCode,
  detail?: string,
  attributes?: Record<string, unknown>,
): DomainProblem {
  const { field, message } = PROFILE_ERRORS[code];
  return validationProblem('bad-request', [
    {
      code,
      ...(field !== undefined && { field }),
      message: detail === undefined ? message : `${message}: ${detail}`,
      severity: 'critical',
      ...(attributes !== undefined && { attributes }),
    },
  ]);
}

export function profileNotFound(id: string): RequestProblem {
  return notFound('billing profile', id);
}
