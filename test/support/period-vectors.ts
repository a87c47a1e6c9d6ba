import { readFileSync } from 'node:fs';

type Span = [string, string];

interface Named {
  name: string;
}

export interface PeriodAtVector extends Named {
  kind: 'period_at';
  anchor: string;
  interval: string;
  at: string;
  expected: Span;
}

export interface DateAddVector extends Named {
  kind: 'date_add';
  start: string;
  duration: string;
  expected: string;
}

export interface DivisibleVector extends Named {
  kind: 'duration_divisible';
  larger: string;
  smaller: string;
  expected: boolean;
}

export interface BillingPeriodsVector extends Named {
  kind: 'billing_periods';
  billing_cadence: string;
  billing_anchor: string;
  subscription_start: string;
  phase: [string, string | null] | null;
  expected: Span[];
  entitlement_current_usage_period?: Span;
  invoice_at?: string[];
  lines?: {
    item: string;
    service_periods?: Span[];
    invoice_at?: string[];
    count?: number;
    first?: Span;
    last?: Span;
    invoice_at_all?: string;
  }[];
  entitlement?: { usage_period_anchor: string; measure_usage_from: string };
}

export interface SubscriptionLinesVector extends Named {
  kind: 'subscription_lines';
  subscription_start: string;
  subscription_end?: string;
  billing_anchor: string;
  billing_cadence: string;
  generate_until: string;
  phase_end?: string;
  items: {
    key: string;
    cadence?: string;
    price: 'unit' | 'none' | 'flat_in_advance';
    start_after?: string;
    end_after?: string;
  }[];
  expected: { key: string; service_period: Span; full_service_period: Span; billing_period: Span }[];
}

export interface SubscriptionStatusVector extends Named {
  kind: 'subscription_status';
  active_from: string;
  active_to?: string;
  deleted_at?: string;
  at: string;
  expected: 'active' | 'canceled' | 'inactive' | 'scheduled';
}

type Vector =
  | PeriodAtVector
  | DateAddVector
  | DivisibleVector
  | BillingPeriodsVector
  | SubscriptionLinesVector
  | SubscriptionStatusVector;

const file = new URL('../fixtures/vectors/periods.json', import.meta.url);

/** Every numeric case of periods. */
const periodVectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[];

/** The cases of one kind. @throws Error when there is none: a test over nothing proves nothing */
export function periodVectorsOf<Kind extends Vector['kind']>(kind: Kind): Extract<Vector, { kind: Kind }>[] {
  const found = periodVectors.filter((vector): vector is Extract<Vector, { kind: Kind }> => vector.kind === kind);
  if (found.length === 0) throw new Error(`no vector of kind ${kind}`);
  return found;
}
