import { fieldOf, objectOf, textOf } from '../metering-and-billing/json-values.ts';
import type { Reason } from './schema.ts';

/** What the backend says about a customer and the feature. */
export interface Access {
  readonly hasAccess: boolean;
  /** Why not. */
  readonly reason: Reason | undefined;
  /** Of a metered entitlement with a hard limit; undefined: nothing is counted. */
  readonly allowance: Allowance | undefined;
}

export interface Allowance {
  /** What is left of it, as far as the backend has counted. */
  readonly balance: number;
  /** All of this usage period. */
  readonly total: number;
  /** When usage begins anew, milliseconds since 1970. */
  readonly resetsAtMs: number | undefined;
  /** What is counted; undefined when it cannot be counted along, event by event. */
  readonly meter: { readonly eventType: string; readonly measure: string } | undefined;
}

/** What is known of a key. */
export interface Known {
  /** undefined: nobody has this key. */
  readonly customer: { readonly id: string; readonly subjects: readonly string[] } | undefined;
  readonly access: Access;
  /** When it was asked for, milliseconds since 1970: what happened later is not in it. */
  readonly askedAtMs: number;
}

const REASONS_BY_CODE: Readonly<Record<string, Reason>> = {
  usage_limit_reached: 'USAGE_LIMIT_REACHED',
  feature_unavailable: 'FEATURE_UNAVAILABLE',
  feature_not_found: 'FEATURE_NOT_FOUND',
  no_credit_available: 'NO_CREDIT_AVAILABLE',
};

const NOBODY: Access = { hasAccess: false, reason: 'CUSTOMER_NOT_FOUND', allowance: undefined };

/**
 * Reads an answer of the access query, or of the one with balances, which has more in it.
 * @returns what it says about each key; keys about which it says nothing are absent
 * @throws Error when it is no such answer
 */
export function readAnswer(body: string, featureKey: string, askedAtMs: number): ReadonlyMap<string, Known> {
  const answer = objectOf(JSON.parse(body));
  const [data, errors] = [answer?.['data'], answer?.['errors']];
  if (!Array.isArray(data) || !Array.isArray(errors)) throw new Error('the answer has no data and errors');
  const found = new Map<string, Known>();
  for (const row of data as unknown[]) {
    const fields = objectOf(row);
    const matched = textsOf(fields?.['matched']);
    const id = textOf(objectOf(fields?.['customer'])?.['id']) ?? matched[0] ?? '';
    const subjects = textsOf(fields?.['subjects']);
    const customer = { id, subjects: subjects.length > 0 ? subjects : matched };
    const access = readAccess(fieldOf(objectOf(fields?.['features']), featureKey));
    for (const key of matched) found.set(key, { customer, access, askedAtMs });
  }
  for (const row of errors as unknown[]) {
    const fields = objectOf(row);
    const key = textOf(fields?.['customer']);
    if (key !== undefined && fields?.['code'] === 'customer_not_found') {
      found.set(key, { customer: undefined, access: NOBODY, askedAtMs });
    }
  }
  return found;
}

function readAccess(value: unknown): Access {
  const fields = objectOf(value);
  const hasAccess = fields?.['has_access'] === true;
  const code = textOf(objectOf(fields?.['reason'])?.['code']);
  const reason = hasAccess ? undefined : (REASONS_BY_CODE[code ?? ''] ?? 'FEATURE_UNAVAILABLE');
  return { hasAccess, reason, allowance: readAllowance(fields) };
}

function readAllowance(fields: Readonly<Record<string, unknown>> | undefined): Allowance | undefined {
  const balance = numberOf(fields?.['balance']);
  if (balance === undefined || fields?.['is_soft_limit'] === true) return undefined;
  const resetsAtMs = Date.parse(textOf(fields?.['resets_at']) ?? '');
  return {
    balance,
    total: numberOf(fields?.['total_available']) ?? balance,
    resetsAtMs: Number.isNaN(resetsAtMs) ? undefined : resetsAtMs,
    meter: readMeter(objectOf(fields?.['meter'])),
  };
}

function readMeter(meter: Readonly<Record<string, unknown>> | undefined): Allowance['meter'] {
  const eventType = textOf(meter?.['event_type']);
  if (eventType === undefined) return undefined;
  if (meter?.['aggregation'] === 'count') return { eventType, measure: 'count' };
  // Only plain properties of the data can be added up here: "$.tokens".
  const [, measure] = /^\$\.(\w+)$/.exec(textOf(meter?.['value_property']) ?? '') ?? [];
  return meter?.['aggregation'] === 'sum' && measure !== undefined ? { eventType, measure } : undefined;
}

/** Numbers come as decimal text. A gateway compares them as doubles: digits beyond the 15th decide nothing. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as unknown[]).filter((item) => typeof item === 'string') : [];
}
