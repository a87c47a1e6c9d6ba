import { createHash } from 'node:crypto';
import type { DeliverySettings, QueueSettings } from '../delivery/index.ts';
import { type AttributeRule, readAttributes } from './attributes.ts';
import { type JsonObject, objectOf } from './json-values.ts';
import { CONNECTION_RULES, type NumberRule, QUEUE_RULES } from './schema.ts';
import { readStatusCodeRanges, type StatusCodeRange } from './status-codes.ts';
import { readSubjectLookup, type SubjectLookup } from './subject.ts';

/** What decides which events a request makes. */
export interface MeteringSettings {
  readonly meterApiRequests: boolean;
  readonly meterAiTokenUsage: boolean;
  readonly subject: SubjectLookup;
  readonly attributes: readonly AttributeRule[];
  /** Only answers with a status in one of these are metered; none: every answer. */
  readonly allowStatusCodes: readonly StatusCodeRange[];
}

/** One plugin configuration, checked. */
export interface PluginConfig {
  readonly metering: MeteringSettings;
  readonly delivery: DeliverySettings;
  /** What an operator should know although the configuration works; no secrets. */
  readonly warnings: readonly string[];
}

/** Either a configuration or the reasons why there is none. The reasons name fields and rules, never a value. */
export type ConfigReading =
  | { readonly config: PluginConfig; readonly problems?: never }
  | { readonly config?: never; readonly problems: readonly string[] };

/**
 * Reads the configuration object that Kong hands to an instance. Kong has validated it against `Schema` and filled in
 * the defaults, but it leaves out what was set to null, and a vault reference that it could not resolve arrives as an
 * empty string; so everything is checked once more. Seconds become milliseconds.
 */
export function readConfig(raw: unknown): ConfigReading {
  const config = objectOf(raw);
  if (config === undefined) return { problems: ['the configuration is not an object'] };
  const problems: string[] = [];
  const warnings: string[] = [];
  const subject = readSubjectLookup(config['subject'], problems);
  const attributes = readAttributes(config['attributes'], problems, warnings);
  const allowStatusCodes = readStatusCodeRanges(config['allow_status_codes'], problems);
  const meterApiRequests = readSwitch(config, 'meter_api_requests', true, problems);
  const meterAiTokenUsage = readSwitch(config, 'meter_ai_token_usage', true, problems);
  if (!meterApiRequests && !meterAiTokenUsage) {
    warnings.push('meter_api_requests and meter_ai_token_usage are both false: nothing is metered');
  }
  const delivery = readDelivery(config, problems);
  if (subject === undefined || problems.length > 0) return { problems };
  const metering = { meterApiRequests, meterAiTokenUsage, subject, attributes, allowStatusCodes };
  return { config: { metering, delivery, warnings } };
}

/**
 * A short name for a configuration, the same in every worker: Kong's own fields (their names begin with two
 * underscores) are left out, and so is the token, of which a log should not even hold a hash.
 */
export function fingerprint(raw: unknown): string {
  const own = Object.entries(objectOf(raw) ?? {}).filter(([name]) => !name.startsWith('__') && name !== 'api_token');
  own.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(own)).digest('hex').slice(0, 12);
}

function readDelivery(config: JsonObject, problems: string[]): DeliverySettings {
  const timeoutMs = readNumber(config['timeout'], 'timeout', CONNECTION_RULES.timeout, problems);
  const keepaliveMs = readNumber(config['keepalive'], 'keepalive', CONNECTION_RULES.keepalive, problems);
  // Without a limit, one endpoint that never answers would hold its batch, and all that wait behind it, for ever.
  if (timeoutMs <= 0) problems.push('timeout must be greater than 0');
  if (keepaliveMs < 0) problems.push('keepalive must not be negative');
  return {
    endpoint: readEndpoint(config['ingest_endpoint'], problems),
    token: readToken(config['api_token'], problems),
    timeoutMs,
    keepaliveMs,
    sslVerify: readSwitch(config, 'ssl_verify', true, problems),
    queue: readQueue(config['queue'], problems),
  };
}

function readEndpoint(value: unknown, problems: string[]): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href;
  problems.push('ingest_endpoint must be an http:// or https:// URL');
  return '';
}

function readToken(value: unknown, problems: string[]): string {
  // A control character cannot stand in a header: every request would fail, long after the configuration was accepted.
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
  problems.push('api_token must be a token without blanks (an unresolved vault reference leaves it empty)');
  return '';
}

function readQueue(value: unknown, problems: string[]): QueueSettings {
  const queue = objectOf(value) ?? {};
  if (value !== undefined && value !== null && objectOf(value) === undefined) problems.push('queue must be a record');
  const number = (name: keyof typeof QUEUE_RULES): number =>
    readNumber(queue[name], `queue.${name}`, QUEUE_RULES[name], problems);
  const milliseconds = (name: keyof typeof QUEUE_RULES): number => Math.round(number(name) * 1000);
  return {
    maxBatchSize: number('max_batch_size'),
    maxCoalescingDelayMs: milliseconds('max_coalescing_delay'),
    maxEntries: number('max_entries'),
    maxBytes: readMaxBytes(queue['max_bytes'], problems),
    initialRetryDelayMs: milliseconds('initial_retry_delay'),
    maxRetryDelayMs: milliseconds('max_retry_delay'),
    // Kong's queue takes any negative number as "never try again", which is what zero says.
    maxRetryTimeMs: Math.max(0, milliseconds('max_retry_time')),
    concurrencyLimit: number('concurrency_limit'),
    failureThreshold: number('failure_threshold'),
    breakerCooldownMs: milliseconds('breaker_cooldown'),
  };
}

function readMaxBytes(value: unknown, problems: string[]): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  problems.push('queue.max_bytes must be an integer greater than 0');
  return undefined;
}

function readNumber(value: unknown, name: string, rule: NumberRule, problems: string[]): number {
  if (value === undefined || value === null) return rule.default;
  if (typeof value !== 'number' || !Number.isFinite(value)) problems.push(`${name} must be a number`);
  else if (rule.type === 'integer' && !Number.isSafeInteger(value)) problems.push(`${name} must be an integer`);
  else if (rule.between !== undefined && (value < rule.between[0] || value > rule.between[1])) {
    problems.push(`${name} must be between ${rule.between[0]} and ${rule.between[1]}`);
  } else if (rule.one_of !== undefined && !rule.one_of.includes(value)) {
    problems.push(`${name} must be one of ${rule.one_of.join(', ')}`);
  } else return value;
  return rule.default;
}

function readSwitch(config: JsonObject, name: string, fallback: boolean, problems: string[]): boolean {
  const value = config[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  problems.push(`${name} must be a boolean`);
  return fallback;
}
