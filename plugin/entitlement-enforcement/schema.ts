import type { Field, FieldRule } from '../metering-and-billing/schema-language.ts';
import { WITHOUT_EFFECT } from './schema-without-effect.ts';

/** A number field with a default: both Kong (through `Schema`) and `config.ts` apply the same rule. */
export interface NumberRule {
  readonly type: 'number' | 'integer';
  readonly default: number;
  readonly between: readonly [number, number];
  readonly description: string;
}

/** Seconds, as in the Enterprise plugin, but for those that say milliseconds. */
export const NUMBER_RULES = {
  refresh_interval: {
    type: 'number',
    default: 30,
    between: [2, 3600],
    description: 'Seconds after which what is known of a customer is asked again although no request of theirs came.',
  },
  sync_rate: {
    type: 'number',
    default: 2,
    between: [1, 3600],
    description: 'Seconds after which what is known of a customer whose requests come is asked again.',
  },
  max_stale_seconds: {
    type: 'number',
    default: 60,
    between: [2, 86_400],
    description: 'Seconds for which what is known decides when it cannot be asked again; then fail_policy does.',
  },
  timeout: {
    type: 'number',
    default: 10_000,
    between: [1, 600_000],
    description:
      'Milliseconds to wait for an answer of the entitlement access endpoint. No request waits for it but as cold_start_wait says.',
  },
  cold_start_wait: {
    type: 'integer',
    default: 250,
    between: [0, 10_000],
    description:
      'Most milliseconds that a request waits for the first answer about its customer; then fail_policy decides. 0 never waits.',
  },
  keepalive: {
    type: 'number',
    default: 60_000,
    between: [0, 3_600_000],
    description: 'Milliseconds for which an idle connection to the entitlement access endpoint is kept open.',
  },
  node_count: {
    type: 'integer',
    default: 1,
    between: [1, 1000],
    description:
      'Gateway nodes that share the traffic: each lets through its share of what is left, until it asks again.',
  },
  overshoot_per_node: {
    type: 'number',
    default: 0,
    between: [0, 1_000_000_000],
    description: 'Units that a node may let through beyond its share before the backend has counted them.',
  },
} as const satisfies Record<string, NumberRule>;

export const CUSTOMER_SOURCES = ['consumer', 'application', 'header', 'query'] as const;
export const CONSUMER_FIELDS = ['username', 'id', 'custom_id'] as const;
export const FAIL_POLICIES = ['allow', 'block'] as const;
export const HEADER_CHOICES = ['denied', 'all', 'none'] as const;
export const BODY_FORMATS = ['json', 'problem', 'empty'] as const;

/**
 * Why a request is refused, with the status and the message that it is answered with: those of the Enterprise plugin, and
 * the last one ours, which that plugin does not tell apart.
 */
export const REASONS = {
  USAGE_LIMIT_REACHED: { status: 429, message: 'Customer has reached usage limit for feature.' },
  FEATURE_UNAVAILABLE: { status: 403, message: 'Feature is not available for the customer.' },
  FEATURE_NOT_FOUND: { status: 403, message: 'Feature not found.' },
  CUSTOMER_NOT_FOUND: { status: 403, message: 'Customer is not found by subject.' },
  NO_CREDIT_AVAILABLE: { status: 402, message: 'Customer has no credit available.' },
  ENTITLEMENTS_UNKNOWN: { status: 503, message: 'Entitlements cannot be checked at the moment.' },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>;
export type Reason = keyof typeof REASONS;
export const REASON_NAMES = Object.keys(REASONS) as readonly Reason[];

const FEATURE: FieldRule = {
  type: 'record',
  required: true,
  description: 'The feature that a request needs: what the customer has to be entitled to.',
  fields: [{ key: { type: 'string', required: true, len_min: 1, description: 'The key of the feature.' } }],
};

const CUSTOMER: FieldRule = {
  type: 'record',
  // Not optional: an optional record that is left out gets no defaults, and the plugin would not know whose request it is.
  required: true,
  description: 'Whose request it is: where the key, or a subject key, of the customer is found.',
  fields: [
    {
      look_up_value_in: {
        type: 'string',
        one_of: CUSTOMER_SOURCES,
        default: 'consumer',
        description: 'Where the key of the customer is found.',
      },
    },
    {
      field: {
        type: 'string',
        len_min: 1,
        description: 'The header, the query argument, the Consumer field or the application field that holds the key.',
      },
    },
  ],
};

const RESPONSE_CODES: FieldRule = {
  type: 'record',
  required: true,
  description: 'Status and message of each refusal.',
  fields: REASON_NAMES.map((name) => ({
    [name]: {
      type: 'record',
      required: true,
      fields: [
        {
          http_status: {
            type: 'integer',
            between: [100, 599],
            default: REASONS[name].status,
            description: 'The HTTP status of this refusal.',
          },
        },
        { message: { type: 'string', default: REASONS[name].message, description: 'The message of this refusal.' } },
      ],
    },
  })),
};

const NUMBER_FIELDS: readonly Field[] = Object.entries<FieldRule>(NUMBER_RULES).map(([name, rule]) => ({
  [name]: rule,
}));

/** The configuration: field names, ranges and defaults of the Enterprise plugin (Gateway 3.16), and our own. */
export const Schema: readonly Field[] = [
  {
    api_token: {
      type: 'string',
      required: true,
      encrypted: true,
      referenceable: true,
      description: 'Token for the entitlement access endpoint.',
    },
  },
  {
    entitlement_access_endpoint: {
      type: 'string',
      required: true,
      referenceable: true,
      match: '^https?://.+',
      err: 'must be an http:// or https:// URL',
      description: 'Where access is asked: a URL that ends in /entitlement-access/query.',
    },
  },
  { feature: FEATURE },
  { customer: CUSTOMER },
  {
    deny_unknown_customers: {
      type: 'boolean',
      default: true,
      description: 'Whether requests of nobody, and of customers that are not known yet, are refused.',
    },
  },
  {
    fail_policy: {
      type: 'string',
      one_of: FAIL_POLICIES,
      default: 'allow',
      description: 'What happens to requests when entitlements are unknown, or were known too long ago.',
    },
  },
  ...NUMBER_FIELDS,
  {
    max_stale: {
      type: 'number',
      between: NUMBER_RULES.max_stale_seconds.between,
      description: 'Another name for max_stale_seconds; counts where both are given.',
    },
  },
  { response_codes: RESPONSE_CODES },
  ...WITHOUT_EFFECT,
  {
    ssl_verify: {
      type: 'boolean',
      default: true,
      description: 'Whether the certificate of the entitlement access endpoint is verified.',
    },
  },
  {
    credit_balance_required: {
      type: 'boolean',
      default: true,
      description: 'Whether the endpoint is asked for credits, too, and features that stop without credit are stopped.',
    },
  },
  {
    units_per_request: {
      type: 'number',
      between: [0, 1_000_000_000],
      description:
        'Units that a request counts for until the real usage is known; by default 1 where requests are counted.',
    },
  },
  {
    credit_leases: {
      type: 'boolean',
      default: false,
      description:
        'Whether credit is shared out among nodes by leases, so that no more is let through than there is. Needs the metering plugin on the same node.',
    },
  },
  {
    hold_tokens: {
      type: 'boolean',
      default: false,
      description:
        'Whether tokens are set aside for a call of a model until they are known: an estimate of the prompt and the most that the answer may have, or units_per_request.',
    },
  },
  {
    rate_limit_headers: {
      type: 'string',
      one_of: HEADER_CHOICES,
      default: 'denied',
      description:
        'Which answers carry RateLimit headers. On all of them it costs a second call to Kong over MsgPack:1.',
    },
  },
  {
    error_body: {
      type: 'string',
      one_of: BODY_FORMATS,
      default: 'json',
      description: 'The body of a refusal: message and reason, problem details (RFC 9457), or nothing.',
    },
  },
  {
    error_message: {
      type: 'string',
      len_min: 1,
      description: 'The message of every refusal, in place of those of response_codes.',
    },
  },
];
