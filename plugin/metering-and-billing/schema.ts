import type { EntityCheck, Field, FieldRule } from './schema-language.ts';

/** A number field with a default: both Kong (through `Schema`) and `config.ts` apply the same rule. */
export interface NumberRule {
  readonly type: 'number' | 'integer';
  readonly default: number;
  readonly between?: readonly [number, number];
  readonly one_of?: readonly number[];
  readonly description: string;
}

/** `timeout` and `keepalive`, in milliseconds. */
export const CONNECTION_RULES = {
  timeout: {
    type: 'number',
    default: 10_000,
    description: 'Milliseconds to wait for an answer of the ingest endpoint.',
  },
  keepalive: {
    type: 'number',
    default: 60_000,
    description: 'Milliseconds for which an idle connection to the ingest endpoint is kept open.',
  },
} as const satisfies Record<string, NumberRule>;

/**
 * The delivery queue; times in seconds. Names, defaults and ranges are those of Kong's own `queue` record
 * (`kong/tools/queue_schema.lua`), so that one decK file serves both gateways; the breaker's two are of the 3.16 plugin.
 */
export const QUEUE_RULES = {
  max_batch_size: {
    type: 'integer',
    default: 1,
    between: [1, 1_000_000],
    description: 'Most events in one request to the ingest endpoint.',
  },
  max_coalescing_delay: {
    type: 'number',
    default: 1,
    between: [0, 3600],
    description: 'Seconds that the first event of a batch waits for others before the batch is sent.',
  },
  max_entries: {
    type: 'integer',
    default: 10_000,
    between: [1, 1_000_000],
    description: 'Most events that wait in memory.',
  },
  initial_retry_delay: {
    type: 'number',
    default: 0.01,
    between: [0.001, 1_000_000],
    description: 'Seconds before a failed batch is sent again for the first time.',
  },
  max_retry_delay: {
    type: 'number',
    default: 60,
    between: [0.001, 1_000_000],
    description: 'Most seconds between two attempts for the same batch.',
  },
  max_retry_time: {
    type: 'number',
    default: 60,
    description: 'Seconds after which a batch that keeps failing is given up.',
  },
  concurrency_limit: {
    type: 'integer',
    default: 1,
    one_of: [-1, 1],
    description: 'Batches in flight at the same time: 1, or -1 for as many as there are.',
  },
  failure_threshold: {
    type: 'integer',
    default: 0,
    between: [0, 1_000_000],
    description: 'Failures in a row after which sending pauses for breaker_cooldown; 0 never pauses.',
  },
  breaker_cooldown: {
    type: 'number',
    default: 60,
    between: [0, 1_000_000],
    description: 'Seconds for which sending pauses once failure_threshold is reached.',
  },
} as const satisfies Record<string, NumberRule>;

/** Where a subject may be looked up. */
export const SUBJECT_SOURCES = ['application', 'consumer', 'header', 'query'] as const;
/** The Consumer's fields that may be a subject. */
export const CONSUMER_FIELDS = ['id', 'custom_id', 'username'] as const;
/** Where a custom attribute may be looked up. */
export const ATTRIBUTE_SOURCES = ['header', 'query'] as const;

const NUMBERED_QUEUE_FIELDS: readonly Field[] = Object.entries<FieldRule>(QUEUE_RULES).map(([name, rule]) => ({
  [name]: rule,
}));

const SUBJECT: FieldRule = {
  type: 'record',
  // Not optional: an optional record that is left out gets no defaults, and the plugin would not know whom to bill.
  required: true,
  description: 'Who is billed for a request: where the identifier of the customer is found.',
  fields: [
    {
      look_up_value_in: {
        type: 'string',
        one_of: SUBJECT_SOURCES,
        default: 'consumer',
        description: 'Where the identifier of the customer is found.',
      },
    },
    {
      field: {
        type: 'string',
        len_min: 1,
        description:
          'The header, the query argument, the Consumer field (username, id or custom_id) or the application field that holds the identifier.',
      },
    },
  ],
  entity_checks: [
    {
      conditional: {
        if_field: 'look_up_value_in',
        if_match: { one_of: ['header', 'query'] },
        then_field: 'field',
        then_match: { required: true },
      },
    },
    {
      // Any other field would leave every request without a subject, and so unbilled.
      conditional: {
        if_field: 'look_up_value_in',
        if_match: { eq: 'consumer' },
        then_field: 'field',
        then_match: { one_of: CONSUMER_FIELDS },
      },
    },
  ],
};

const ATTRIBUTES: FieldRule = {
  type: 'array',
  description: 'Headers and query arguments that are copied into the data of every usage event, as dimensions.',
  elements: {
    type: 'record',
    fields: [
      {
        source: {
          type: 'string',
          required: true,
          one_of: ATTRIBUTE_SOURCES,
          description: 'Where in the request the value is found.',
        },
      },
      {
        look_up_value_in: {
          type: 'string',
          required: true,
          len_min: 1,
          description: 'The name of the header or of the query argument.',
        },
      },
      {
        event_property_name: {
          type: 'string',
          required: true,
          len_min: 1,
          description: "The property of the event's data that receives the value.",
        },
      },
    ],
  },
};

/**
 * The fields of `config`, in Kong's schema language: those of the Enterprise plugin of the same name (3.14 to 3.16), so
 * that a decK file moves between the two unchanged. The plugin server wraps them into the `config` record.
 */
export const Schema: readonly Field[] = [
  {
    ingest_endpoint: {
      type: 'string',
      required: true,
      referenceable: true,
      match: '^https?://[^%s/]+%S*$',
      err: 'must be a URL that begins with http:// or https://',
      description: 'The URL to which usage events are posted.',
    },
  },
  {
    api_token: {
      type: 'string',
      required: true,
      referenceable: true,
      encrypted: true,
      description: 'The bearer token for the ingest endpoint.',
    },
  },
  {
    meter_api_requests: {
      type: 'boolean',
      default: true,
      description: 'Whether every request makes a kong.api_request event.',
    },
  },
  {
    meter_ai_token_usage: {
      type: 'boolean',
      default: true,
      description: 'Whether calls of AI models make kong.llm_request events with their token counts.',
    },
  },
  { subject: SUBJECT },
  { attributes: ATTRIBUTES },
  {
    allow_status_codes: {
      type: 'array',
      description: 'Status codes, or ranges of them such as 200-299, that are metered. Unset: every status.',
      elements: {
        type: 'string',
        match_any: {
          patterns: ['^%d%d%d$', '^%d%d%d%-%d%d%d$'],
          err: 'must be a status code such as 200 or a range such as 200-299',
        },
      },
    },
  },
  { timeout: CONNECTION_RULES.timeout },
  { keepalive: CONNECTION_RULES.keepalive },
  {
    ssl_verify: {
      type: 'boolean',
      default: true,
      description: 'Whether the TLS certificate of the ingest endpoint is verified.',
    },
  },
  {
    queue: {
      type: 'record',
      required: true,
      description: 'How events wait for their delivery and how often a failed one is tried again.',
      fields: [
        ...NUMBERED_QUEUE_FIELDS,
        {
          max_bytes: {
            type: 'integer',
            description: 'Most bytes that wait in memory. Unset: no limit but max_entries.',
          },
        },
      ],
    },
  },
];

/**
 * The check of the `config` record as a whole. kong-pdk's plugin server wraps `Schema` itself and offers no place for
 * it; a plugin server that builds the record can put it into the record's `entity_checks`.
 */
export const ConfigEntityChecks: readonly EntityCheck[] = [
  {
    conditional: {
      if_field: 'meter_api_requests',
      if_match: { eq: false },
      then_field: 'meter_ai_token_usage',
      then_match: { eq: true },
      then_err: 'at least one of meter_api_requests and meter_ai_token_usage must be true',
    },
  },
];
