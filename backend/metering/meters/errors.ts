import { DomainProblem, notFound, type RequestProblem, validationProblem } from '../../platform/errors.ts';

/** The codes that meter rules answer with, as the contract names them. */
export const METER_ERRORS = {
  invalid_time_zone: { field: 'time_zone', message: 'invalid time zone' },
  invalid_group_by: { field: 'group_by_dimensions', message: 'invalid group by dimension' },
  invalid_dimension_filter: { field: 'filters.dimensions', message: 'invalid dimension filter' },
  unsupported_filter_operator: {
    field: 'filters.dimensions',
    message: 'only eq and in filter operators are supported for this field',
  },
  invalid_time_range: { field: 'from', message: 'invalid time range' },
  reserved_dimension: { field: 'dimensions', message: 'dimension name is reserved' },
  invalid_dimension: { field: 'dimensions', message: 'invalid dimension' },
  invalid_value_property: { field: 'value_property', message: 'invalid value property' },
  customer_not_found: { field: 'filters.dimensions.customer_id', message: 'customer not found' },
} as const;
export type MeterErrorCode = keyof typeof METER_ERRORS;

/** A 400 with one of the codes. @param detail what exactly, appended to the code's sentence */
export function meterProblem(code: MeterErrorCode, detail?: string, field?: string): DomainProblem {
  return validationProblem('bad-request', [describe(code, detail, field)]);
}

/** 404: the query filters by a customer that does not exist. */
export function customerNotFound(id: string): DomainProblem {
  return validationProblem('not-found', [describe('customer_not_found', id)]);
}

function describe(code: MeterErrorCode, detail: string | undefined, field?: string) {
  const { field: usualField, message } = METER_ERRORS[code];
  const sentence = detail === undefined ? message : `${message}: ${detail}`;
  return { code, field: field ?? usualField, message: sentence, severity: 'critical' as const };
}

export function meterNotFound(id: string): RequestProblem {
  return notFound('meter', id);
}

/** 409: a living meter has the key. */
export function meterKeyTaken(key: string): DomainProblem {
  return new DomainProblem('resource-conflict', `meter with key "${key}" already exists`);
}

/** 410: the meter was deleted. */
export function meterGone(id: string): DomainProblem {
  return new DomainProblem('gone', `meter was deleted: ${id}`);
}
