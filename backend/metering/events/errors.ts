import { DomainProblem, type InvalidParameter, invalidParameter, RequestProblem } from '../../platform/errors.ts';

/** A Content-Type that carries no events. */
export function invalidContentType(choices: readonly string[]): RequestProblem {
  return invalidParameter({
    field: 'Content-Type',
    rule: 'enum',
    reason: `invalid content type; must be one of ${choices.join(', ')}`,
    choices,
    source: 'header',
  });
}

/** A body that is not what its content type promises. */
export function unexpectedBody(reason: string): RequestProblem {
  return invalidParameter({ field: 'body', rule: 'type', reason, source: 'body' });
}

/** A request that is refused for some of its events, with how many it has. */
export class EventsRefused extends RequestProblem {
  readonly events: number;

  constructor(detail: string, invalidParameters: readonly InvalidParameter[], events: number) {
    super('bad-request', detail, invalidParameters);
    this.events = events;
  }
}

/** A list longer than any request needs. */
export function tooManyEvents(maximum: number): RequestProblem {
  const reason = `must have at most ${maximum} events`;
  return invalidParameter({ field: 'body', rule: 'max_items', maximum, reason, source: 'body' });
}

/** An entry of a batch that is no object. */
export function noEventObject(path: readonly number[]): InvalidParameter {
  return {
    field: path.length === 0 ? 'body' : path.join('.'),
    rule: 'type',
    reason: 'must be an object',
    source: 'body',
  };
}

/** A customer filter whose ids are all unknown. */
export function unknownCustomers(ids: readonly string[]): RequestProblem {
  const reason = `customers not found in namespace: ${ids.join(', ')}`;
  return invalidParameter({ field: 'filter[customer_id]', rule: 'missing_reference', reason, source: 'query' });
}

/** An operator that the customer filter does not have. */
export function unsupportedCustomerOperator(): RequestProblem {
  return invalidParameter({
    field: 'filter[customer_id]',
    rule: 'invalid',
    reason: 'only eq and oeq operators are supported',
    source: 'query',
  });
}

/** A correction's filter names customers that do not exist. */
export function unknownCustomersOfCorrection(ids: readonly string[]): RequestProblem {
  const reason = `customers not found in namespace: ${ids.join(', ')}`;
  return invalidParameter({ field: 'filter.customer_id', rule: 'missing_reference', reason, source: 'body' });
}

/** A correction is to take back one that does not exist. */
export function unknownCorrection(id: string): RequestProblem {
  const reason = `correction not found: ${id}`;
  return invalidParameter({ field: 'filter.correction_id', rule: 'missing_reference', reason, source: 'body' });
}

/** 409: a correction that is still being carried out cannot be taken back. */
export function correctionIsRunning(id: string): DomainProblem {
  return new DomainProblem('resource-conflict', `correction is still running: ${id}`);
}

/** An event whose data is larger than the operator lets one event be. */
export function tooMuchData(prefix: readonly PropertyKey[], bytes: number, maximum: number): InvalidParameter {
  return {
    field: [...prefix, 'data'].map(String).join('.'),
    rule: 'max_length',
    maximum,
    reason: `must have at most ${maximum} bytes as JSON and has ${bytes} (MAX_EVENT_DATA_BYTES)`,
    source: 'body',
  };
}
