import {
  DomainProblem,
  notFound,
  RequestProblem,
  type ValidationError,
  validationProblem,
} from '../../platform/errors.ts';

/** The codes of this module: what broke, and the field that has to change. All answer 409. */
const CUSTOMER_ERRORS = {
  customer_key_taken: { field: 'key', message: 'is the key of another customer' },
  customer_key_is_customer_id: { field: 'key', message: 'is the id of another customer' },
  customer_key_is_subject_key: { field: 'key', message: 'is a subject key of another customer' },
  customer_subject_key_taken: {
    field: 'usage_attribution.subject_keys',
    message: 'is a subject key of another customer',
  },
} as const;
type CustomerErrorCode = keyof typeof CUSTOMER_ERRORS;

/** The customer that stands in the way. */
export interface Holder {
  id: string;
  key: string;
  name: string;
}

/** 409: the key cannot become a customer's. @param holder undefined when it was deleted at this very moment */
export function keyConflict(
  code: Exclude<CustomerErrorCode, 'customer_subject_key_taken'>,
  key: string,
  holder: Holder | undefined,
): DomainProblem {
  return validationProblem('resource-conflict', [describe(code, key, holder)]);
}

export interface TakenSubjectKey {
  subjectKey: string;
  /** Its place in the request's list. */
  position: number;
  holder: Holder;
}

/** A conflict's answer names this many subject keys; more help nobody. */
const MAX_NAMED_CONFLICTS = 100;

/** 409: subject keys that belong to other customers. */
export function subjectKeyConflict(taken: readonly TakenSubjectKey[]): DomainProblem {
  const [first, ...others] = taken
    .toSorted((a, b) => a.position - b.position)
    .slice(0, MAX_NAMED_CONFLICTS)
    .map(({ subjectKey, position, holder }) =>
      describe('customer_subject_key_taken', subjectKey, holder, `.${position}`),
    );
  // None is left when their holder was deleted between the two statements; trying again will do.
  if (first === undefined)
    return new DomainProblem('resource-conflict', 'a subject key was taken a moment ago: try again');
  return validationProblem('resource-conflict', [first, ...others]);
}

function describe(
  code: CustomerErrorCode,
  value: string,
  holder: Holder | undefined,
  fieldSuffix = '',
): ValidationError {
  const { field, message } = CUSTOMER_ERRORS[code];
  const who =
    holder === undefined ? '' : `: ${JSON.stringify(holder.name)} (key ${JSON.stringify(holder.key)}, id ${holder.id})`;
  return {
    code,
    field: `${field}${fieldSuffix}`,
    message: `${field} ${JSON.stringify(value)} ${message}${who}`,
    severity: 'critical',
    ...(holder !== undefined && { attributes: { customer: { id: holder.id, key: holder.key, name: holder.name } } }),
  };
}

export function customerNotFound(id: string): RequestProblem {
  return notFound('customer', id);
}

/** 410: the customer was deleted. @param deletedAt RFC 3339 text */
export function customerGone(id: string, deletedAt: string): RequestProblem {
  return new RequestProblem('gone', `customer ${id} was deleted at ${deletedAt}`);
}
