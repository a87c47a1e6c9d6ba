import { DomainProblem, notFound, type RequestProblem, validationProblem } from '../../platform/errors.ts';

/** 501: the name stands in the contract, the app does not exist here. */
export function stripeNotAvailable(): DomainProblem {
  return new DomainProblem(
    'not-implemented',
    'the stripe app is not available yet: use external_invoicing to connect Stripe or any other payment system',
  );
}

export function appNotFound(id: string): RequestProblem {
  return notFound('app', id);
}

/** 400: an app keeps its type. */
export function appTypeIsFixed(id: string, type: string): DomainProblem {
  return validationProblem('bad-request', [
    { code: 'app_type_mismatch', field: 'type', message: `app ${id} is of type ${type}`, severity: 'critical' },
  ]);
}

/** 400: the built-in sandbox. */
export function builtInAppStays(): DomainProblem {
  return validationProblem('bad-request', [
    {
      code: 'built_in_app_cannot_be_uninstalled',
      message: 'the built-in sandbox is always there; install another app and bill with that',
      severity: 'critical',
    },
  ]);
}

/** 409: what still uses the app. @param users sentences such as "billing profile Default (01…)" */
export function appInUse(id: string, users: readonly string[]): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'app_in_use',
      message: `app ${id} is used by ${users.join(', ')}`,
      severity: 'critical',
      attributes: { users },
    },
  ]);
}
