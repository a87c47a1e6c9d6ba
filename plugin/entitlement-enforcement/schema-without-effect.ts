import type { Field, FieldRule } from '../metering-and-billing/schema-language.ts';

// The Enterprise plugin keeps what it knows in Redis, and each worker of the gateway has a cache of its own before it. Here
// one process of the node knows all, and keeps it on disk. The fields are accepted, so that a configuration moves between
// the two unchanged, and do nothing; that is said once in the log.

const text = (description: string): FieldRule => ({ type: 'string', description });
const secret = (description: string): FieldRule => ({
  type: 'string',
  referenceable: true,
  encrypted: true,
  description,
});
const number = (description: string): FieldRule => ({ type: 'integer', description });
const choice = (description: string): FieldRule => ({ type: 'boolean', description });
const list = (fields: readonly Field[], description: string): FieldRule => ({
  type: 'array',
  elements: { type: 'record', fields },
  description,
});
/** Of each: which rule, and the names. */
const named = (rule: (description: string) => FieldRule, ...names: readonly string[]): Field[] =>
  names.map((name) => ({ [name]: rule('No effect: Redis is not used.') }));

const map: FieldRule = {
  type: 'map',
  keys: { type: 'string' },
  values: { type: 'string' },
  description: 'No effect: Redis is not used.',
};

const OAUTH: FieldRule = {
  type: 'record',
  description: 'No effect: Redis is not used.',
  fields: [
    ...named(
      text,
      'auth_method',
      'client_secret_jwt_alg',
      'grant_type',
      'redis_username',
      'redis_username_claim',
      'token_endpoint',
    ),
    ...named(secret, 'client_id', 'client_secret', 'username', 'password'),
    ...named(choice, 'ssl_verify'),
    ...named(number, 'timeout'),
    { scopes: { type: 'array', elements: { type: 'string' }, description: 'No effect: Redis is not used.' } },
    { token_headers: map },
    { token_post_args: map },
  ],
};

const CLOUD_AUTHENTICATION: FieldRule = {
  type: 'record',
  description: 'No effect: Redis is not used.',
  fields: [
    ...named(
      text,
      'auth_provider',
      'aws_assume_role_arn',
      'aws_cache_name',
      'aws_region',
      'aws_role_session_name',
      'azure_tenant_id',
    ),
    ...named(
      secret,
      'aws_access_key_id',
      'aws_secret_access_key',
      'azure_client_id',
      'azure_client_secret',
      'gcp_service_account_json',
    ),
    ...named(choice, 'aws_is_serverless'),
    { oauth: OAUTH },
  ],
};

const REDIS: FieldRule = {
  type: 'record',
  description: 'No effect: what is known is kept on this node, and nodes share nothing but the backend.',
  fields: [
    ...named(text, 'host', 'server_name', 'sentinel_master', 'sentinel_role'),
    ...named(secret, 'username', 'password', 'sentinel_username', 'sentinel_password'),
    ...named(
      number,
      'port',
      'database',
      'connect_timeout',
      'send_timeout',
      'read_timeout',
      'keepalive_pool_size',
      'keepalive_backlog',
      'cluster_max_redirections',
    ),
    ...named(choice, 'ssl', 'ssl_verify', 'connection_is_proxied'),
    { cluster_nodes: list([...named(text, 'ip'), ...named(number, 'port')], 'No effect: Redis is not used.') },
    { sentinel_nodes: list([...named(text, 'host'), ...named(number, 'port')], 'No effect: Redis is not used.') },
    { cloud_authentication: CLOUD_AUTHENTICATION },
  ],
};

/** Fields of the Enterprise plugin that do nothing here; none has a default, so what is there was given. */
export const WITHOUT_EFFECT: readonly Field[] = [
  { l1_cache_ttl_seconds: number('No effect: a decision is taken from the one snapshot of the node.') },
  { l2_cache_ttl_seconds: number('No effect: a decision is taken from the one snapshot of the node.') },
  { redis: REDIS },
];

/** Their names. */
export const NAMES_WITHOUT_EFFECT: readonly string[] = WITHOUT_EFFECT.flatMap((field) => Object.keys(field));
