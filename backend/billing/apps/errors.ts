import { type DomainProblem, notFound, type RequestProblem, validationProblem } from '../../platform/errors.ts';

export function appNotFound(id: string): RequestProblem {
  return notFound('app', id);
}

/** 400: an app keeps its type. */
export function appTypeIsFixed(id: string, type: string): DomainProblem {
  return validationProblem('bad-request', [
    { code: 'app_type_mismatch', field: 'type', message: `app ${id} is of type ${type}`, severity: 'critical' },
  ]);
}

/** 400 with the code: why the account cannot be used. */
export function accountRefused(code: string, field: string, message: string): DomainProblem {
  return validationProblem('bad-request', [{ code, field, message, severity: 'critical' }]);
}

/** 409: two apps of one account would both follow its invoices. */
export function accountInUse(accountId: string, appId: string): DomainProblem {
  return validationProblem('resource-conflict', [
    {
      code: 'app_account_in_use',
      field: 'api_key',
      message: `account ${accountId} is used by app ${appId} already: replace the key of that one`,
      severity: 'critical',
      attributes: { app: { id: appId } },
    },
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
