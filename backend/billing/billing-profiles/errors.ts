import { codedProblems } from '../../platform/coded-problems.ts';
import { notFound, type RequestProblem } from '../../platform/errors.ts';

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
  stripe_app_not_installed: { field: 'app_data.stripe', message: 'no app of Stripe is installed' },
  stripe_customer_invalid: { field: 'app_data.stripe.customer_id', message: 'Stripe has no such customer' },
  stripe_customer_in_use: {
    field: 'app_data.stripe.customer_id',
    message: 'the customer of Stripe is linked to another customer',
  },
  stripe_payment_method_invalid: {
    field: 'app_data.stripe.default_payment_method_id',
    message: 'the customer of Stripe has no such payment method',
  },
} as const;

/** 400 with one of the codes. */
export const profileProblem = codedProblems(PROFILE_ERRORS);

export function profileNotFound(id: string): RequestProblem {
  return notFound('billing profile', id);
}
