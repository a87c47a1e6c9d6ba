import { type JsonObject, objectOf, textOf } from '../metering-and-billing/json-values.ts';
import { type CustomerLookup, readCustomerLookup } from './customer.ts';
import {
  BODY_FORMATS,
  FAIL_POLICIES,
  HEADER_CHOICES,
  NUMBER_RULES,
  type NumberRule,
  REASON_NAMES,
  REASONS,
  type Reason,
} from './schema.ts';
import { NAMES_WITHOUT_EFFECT } from './schema-without-effect.ts';

/** Whom to ask, and how often. Equal ones share what is known. */
export interface AccessSettings {
  readonly endpoint: URL;
  readonly token: string;
  readonly timeoutMs: number;
  readonly keepaliveMs: number;
  readonly sslVerify: boolean;
  readonly featureKey: string;
  /** Whether it is asked for credits, too. */
  readonly includesCredits: boolean;
  readonly refreshIntervalMs: number;
  readonly syncRateMs: number;
  /** Whether credit is let through on leases only. */
  readonly leases: boolean;
}

/** What follows from what is known. */
export interface DecisionSettings {
  readonly deniesUnknownCustomers: boolean;
  readonly failPolicy: (typeof FAIL_POLICIES)[number];
  readonly maxStaleMs: number;
  /** How long a request may wait for an answer that its decision lacks. */
  readonly coldStartWaitMs: number;
  readonly nodeCount: number;
  readonly overshootPerNode: number;
  /** undefined: as the meter says. */
  readonly unitsPerRequest: number | undefined;
  /** Whether what a model may use is set aside until it is known. */
  readonly holdsTokens: boolean;
}

export interface AnswerSettings {
  readonly headers: (typeof HEADER_CHOICES)[number];
  readonly body: (typeof BODY_FORMATS)[number];
  readonly refusals: Readonly<Record<Reason, { readonly status: number; readonly message: string }>>;
}

/** One plugin configuration, checked. */
export interface EnforcementConfig {
  readonly access: AccessSettings;
  readonly decision: DecisionSettings;
  readonly answer: AnswerSettings;
  readonly customer: CustomerLookup;
  /** Fields that are set and do nothing here. */
  readonly withoutEffect: readonly string[];
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
    includesCredits: readSwitch(config, 'credit_balance_required', true, problems),
    refreshIntervalMs: seconds('refresh_interval'),
    syncRateMs: seconds('sync_rate'),
    leases: readSwitch(config, 'credit_leases', false, problems),
  };
  const units = config['units_per_request'];
  const maxStale = config['max_stale'] ?? config['max_stale_seconds'];
  const decision: DecisionSettings = {
    deniesUnknownCustomers: readSwitch(config, 'deny_unknown_customers', true, problems),
    failPolicy: readChoice(config, 'fail_policy', FAIL_POLICIES, 'allow', problems),
    maxStaleMs: Math.round(
      readNumber({ max_stale_seconds: maxStale }, 'max_stale_seconds', NUMBER_RULES.max_stale_seconds, problems) * 1000,
    ),
    coldStartWaitMs: number('cold_start_wait'),
    nodeCount: number('node_count'),
    overshootPerNode: number('overshoot_per_node'),
    unitsPerRequest: typeof units === 'number' && units >= 0 ? units : undefined,
    holdsTokens: readSwitch(config, 'hold_tokens', false, problems),
  };
  const answer: AnswerSettings = {
    headers: readChoice(config, 'rate_limit_headers', HEADER_CHOICES, 'denied', problems),
    body: readChoice(config, 'error_body', BODY_FORMATS, 'json', problems),
    refusals: readRefusals(objectOf(config['response_codes']), textOf(config['error_message'])),
  };
  const withoutEffect = NAMES_WITHOUT_EFFECT.filter((name) => config[name] !== undefined && config[name] !== null);
  if (endpoint === undefined || customer === undefined || featureKey === undefined || problems.length > 0) {
    return { problems };
  }
  return { config: { access: { ...access, endpoint, featureKey }, decision, answer, customer, withoutEffect } };
}

/** @param message in place of every other */
function readRefusals(codes: JsonObject | undefined, message: string | undefined): AnswerSettings['refusals'] {
  const refusals = REASON_NAMES.map((name) => {
    const code = objectOf(codes?.[name]);
    const status = code?.['http_status'];
    const isStatus = typeof status === 'number' && status >= 100 && status <= 599;
    const own = message ?? textOf(code?.['message']) ?? REASONS[name].message;
    return [name, { status: isStatus ? status : REASONS[name].status, message: own }];
  });
  return Object.fromEntries(refusals) as AnswerSettings['refusals'];
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
