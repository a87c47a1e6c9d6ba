import { elementsOf, fieldOf, objectOf, textOf } from '../metering-and-billing/json-values.ts';
import type { GivenLease } from './leasing.ts';
import type { Reason } from './schema.ts';

/** What the backend says about a customer and the feature. */
export interface Access {
  readonly hasAccess: boolean;
  /** Why not. */
  readonly reason: Reason | undefined;
  /** Of a metered entitlement with a hard limit; undefined: nothing is counted. */
  readonly allowance: Allowance | undefined;
  /** Of a feature that stops without credit. */
  readonly credit?: Credit | undefined;
  /** What is counted; undefined when it cannot be counted along, event by event. */
  readonly meter?: { readonly eventType: string; readonly measure: string } | undefined;
}

export interface Credit {
  /** Units that can be paid, as far as the backend has counted; undefined: any number. What is leased is taken off. */
  readonly units: number | undefined;
  /** What is left in all: features that are paid by the same credit share it. */
  readonly amount: number;
  readonly currency: string;
  /** What one of these units costs on average. */
  readonly unitCost: number;
  /** By the key that the node has asked for. */
  readonly leases: ReadonlyMap<string, GivenLease>;
}

export interface Allowance {
  /** What is left of it, as far as the backend has counted. */
  readonly balance: number;
  /** All of this usage period. */
  readonly total: number;
  /** When usage begins anew, milliseconds since 1970. */
  readonly resetsAtMs: number | undefined;
}

/** All that there was, what is left of it, and when it begins anew. */
export interface Limit {
  readonly total: number;
  readonly remaining: number;
  readonly resetsAtMs: number | undefined;
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
  const counted = objectOf(fields?.['credit']);
  const meter = readMeter(objectOf(fields?.['meter']) ?? objectOf(counted?.['meter']));
  return { hasAccess, reason, allowance: readAllowance(fields), credit: readCredit(counted), meter };
}

function readCredit(fields: Readonly<Record<string, unknown>> | undefined): Credit | undefined {
  const amount = numberOf(fields?.['amount_left']);
  if (amount === undefined) return undefined;
  const units = numberOf(fields?.['units_left']);
  const leases = elementsOf(fields?.['leases']).map((row) => {
    const { customer_key, units: given, valid_for_ms } = objectOf(row) ?? {};
    return [
      textOf(customer_key) ?? '',
      { units: numberOf(given) ?? 0, validForMs: numberOf(valid_for_ms) ?? 0 },
    ] as const;
  });
  return {
    units,
    amount,
    currency: textOf(fields?.['currency']) ?? '',
    unitCost: units === undefined || units === 0 ? (numberOf(fields?.['next_unit_cost']) ?? 0) : amount / units,
    leases: new Map(leases),
  };
}

function readAllowance(fields: Readonly<Record<string, unknown>> | undefined): Allowance | undefined {
  const balance = numberOf(fields?.['balance']);
  if (balance === undefined || fields?.['is_soft_limit'] === true) return undefined;
  const resetsAtMs = Date.parse(textOf(fields?.['resets_at']) ?? '');
  return {
    balance,
    total: numberOf(fields?.['total_available']) ?? balance,
    resetsAtMs: Number.isNaN(resetsAtMs) ? undefined : resetsAtMs,
  };
}

function readMeter(meter: Readonly<Record<string, unknown>> | undefined): Access['meter'] {
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
