import { type JsonObject, objectOf, textOf } from '../metering-and-billing/json-values.ts';
import { type CustomerLookup, readCustomerLookup } from './customer.ts';
import { BODY_FORMATS, FAIL_POLICIES, HEADER_CHOICES, NUMBER_RULES, type NumberRule } from './schema.ts';

/** Whom to ask, and how often. Equal ones share what is known. */
export interface AccessSettings {
  readonly endpoint: URL;
  readonly token: string;
  readonly timeoutMs: number;
  readonly keepaliveMs: number;
  readonly sslVerify: boolean;
  readonly featureKey: string;
  readonly refreshIntervalMs: number;
  readonly syncRateMs: number;
}

/** What follows from what is known. */
export interface DecisionSettings {
  readonly deniesUnknownCustomers: boolean;
  readonly failPolicy: (typeof FAIL_POLICIES)[number];
  readonly maxStaleMs: number;
  readonly nodeCount: number;
  readonly overshootPerNode: number;
  /** undefined: as the meter says. */
  readonly unitsPerRequest: number | undefined;
}

export interface AnswerSettings {
  readonly headers: (typeof HEADER_CHOICES)[number];
  readonly body: (typeof BODY_FORMATS)[number];
  readonly message: string | undefined;
}

/** One plugin configuration, checked. */
export interface EnforcementConfig {
  readonly access: AccessSettings;
  readonly decision: DecisionSettings;
  readonly answer: AnswerSettings;
  readonly customer: CustomerLookup;
}

export type ConfigReading =
  | { readonly config: EnforcementConfig; readonly problems?: never }
  | { readonly config?: never; readonly problems: readonly string[] };

/**
 * Reads the configuration object that Kong hands to an instance. Kong has validated it against `Schema`, but it leaves
 * out what was set to null, and a vault reference that it could not resolve arrives as an empty string. Seconds become
 * milliseconds. The problems name fields and rules, never a value.
 */
export function readConfig(raw: unknown): ConfigReading {
  const config = objectOf(raw);
  if (config === undefined) return { problems: ['the configuration is not an object'] };
  const problems: string[] = [];
  const number = (name: keyof typeof NUMBER_RULES) => readNumber(config, name, NUMBER_RULES[name], problems);
  const seconds = (name: keyof typeof NUMBER_RULES) => Math.round(number(name) * 1000);
  const featureKey = textOf(objectOf(config['feature'])?.['key']);
  if (featureKey === undefined) problems.push('feature.key is required');
  const endpoint = readEndpoint(config['entitlement_access_endpoint'], problems);
  const customer = readCustomerLookup(config['customer'], problems);
  const access = {
    token: readToken(config['api_token'], problems),
    timeoutMs: number('timeout'),
    keepaliveMs: number('keepalive'),
    sslVerify: readSwitch(config, 'ssl_verify', true, problems),
    refreshIntervalMs: seconds('refresh_interval'),
    syncRateMs: seconds('sync_rate'),
  };
  const units = config['units_per_request'];
  const decision: DecisionSettings = {
    deniesUnknownCustomers: readSwitch(config, 'deny_unknown_customers', true, problems),
    failPolicy: readChoice(config, 'fail_policy', FAIL_POLICIES, 'allow', problems),
    maxStaleMs: seconds('max_stale'),
    nodeCount: number('node_count'),
    overshootPerNode: number('overshoot_per_node'),
    unitsPerRequest: typeof units === 'number' && units >= 0 ? units : undefined,
  };
  const answer: AnswerSettings = {
    headers: readChoice(config, 'rate_limit_headers', HEADER_CHOICES, 'denied', problems),
    body: readChoice(config, 'error_body', BODY_FORMATS, 'json', problems),
    message: textOf(config['error_message']),
  };
  if (endpoint === undefined || customer === undefined || featureKey === undefined || problems.length > 0) {
    return { problems };
  }
  return { config: { access: { ...access, endpoint, featureKey }, decision, answer, customer } };
}

function readEndpoint(value: unknown, problems: string[]): URL | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  problems.push('entitlement_access_endpoint must be an http:// or https:// URL');
  return undefined;
}

function readToken(value: unknown, problems: string[]): string {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
  problems.push('api_token must be a token without blanks (an unresolved vault reference leaves it empty)');
  return '';
}

function readNumber(config: JsonObject, name: string, rule: NumberRule, problems: string[]): number {
  const value = config[name];
  if (value === undefined || value === null) return rule.default;
  const [least, most] = rule.between;
  const isFine = typeof value === 'number' && value >= least && value <= most;
  if (isFine && (rule.type === 'number' || Number.isSafeInteger(value))) return value;
  problems.push(`${name} must be ${rule.type === 'integer' ? 'an integer' : 'a number'} between ${least} and ${most}`);
  return rule.default;
}

function readSwitch(config: JsonObject, name: string, fallback: boolean, problems: string[]): boolean {
  const value = config[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'boolean') return value;
  problems.push(`${name} must be a boolean`);
  return fallback;
}

function readChoice<T extends string>(
  config: JsonObject,
  name: string,
  choices: readonly T[],
  fallback: T,
  problems: string[],
): T {
  const value = config[name];
  if (value === undefined || value === null) return fallback;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) problems.push(`${name} must be one of ${choices.join(', ')}`);
  return choice ?? fallback;
}
