import type Stripe from 'stripe';
import { AppRefused, AppUnauthorized, type FailedCall, TryLater } from '../outgoing/index.ts';

export interface StripeSettings {
  /** "https://api.stripe.com", or what stands before it. */
  apiUrl: string;
  /** Of one account: its limits are 100 in live mode and 25 in test mode, for everything that uses it. */
  callsPerSecond: number;
}

/** Stripe's own default is 80 s; what takes longer is looked up afterwards. */
const TIMEOUT_MS = 30_000;
const DEFAULT_HTTPS_PORT = '443';

/** The package is large, and of no use where no app is Stripe's: it is loaded with the first one. */
export async function createStripeClient(apiKey: string, { apiUrl }: StripeSettings): Promise<Stripe> {
  const { default: Client } = await import('stripe');
  const { hostname, port, protocol } = new URL(apiUrl);
  return new Client(apiKey, {
    host: hostname,
    port: port === '' ? DEFAULT_HTTPS_PORT : port,
    protocol: protocol === 'http:' ? 'http' : 'https',
    timeout: TIMEOUT_MS,
    // What is to be tried again is, with the journal in hand.
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/** What the package's errors have; told by their shape, since the package may not be loaded. */
interface StripeFailure extends Error {
  type: string;
  statusCode?: number;
  code?: string;
  requestId?: string;
  headers?: Record<string, string>;
}

export function isStripeFailure(error: unknown): error is StripeFailure {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' && error.type.startsWith('Stripe');
}

/** What the journal notes of a call that did not succeed. */
export function describeFailure(error: unknown): FailedCall {
  if (!isStripeFailure(error)) return { isUnknown: true };
  const { statusCode, code, requestId, type } = error;
  return {
    // 409: the first one is still under way.
    isUnknown: statusCode === undefined || statusCode === 409,
    errorCode: code ?? type,
    ...(statusCode !== undefined && { httpStatus: statusCode }),
    ...(requestId !== undefined && { requestId }),
  };
}

/**
 * What whoever works on it does about a failure. Texts of Stripe name fields and ids; keys are masked by Stripe itself, and taken
 * out once more.
 */
export function toAppError(error: unknown): unknown {
  if (!isStripeFailure(error)) return error;
  const { type, statusCode } = error;
  const message = withoutSecrets(error.message);
  if (type === 'StripeAuthenticationError')
    return new AppUnauthorized(`Stripe does not take the key any more: ${message}`);
  if (type === 'StripePermissionError')
    return new AppRefused('app_permission_missing', `The key may not do this: ${message}`);
  const isPassing = statusCode === undefined || statusCode === 409 || statusCode === 429 || statusCode >= 500;
  if (isPassing || type === 'StripeIdempotencyError') return new TryLater(`Stripe: ${message}`, retryAfterMs(error));
  const request = error.requestId === undefined ? '' : ` (request ${error.requestId})`;
  return new AppRefused('app_refused', `Stripe: ${message}${request}`, { cause: error });
}

function retryAfterMs({ headers }: StripeFailure): number | undefined {
  const text = headers?.['retry-after'];
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number.parseInt(text, 10) * 1000 : undefined;
}

export function withoutSecrets(text: string): string {
  return text.replace(/\b(?:sk|rk|whsec|pst|ek)_[\w*]+/g, '[redacted]');
}

/** Runs a call that changes nothing. */
export async function read<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw toAppError(error);
  }
}

/** Whether there is no such thing there. */
export function isMissing(error: unknown): boolean {
  return isStripeFailure(error) && error.code === 'resource_missing';
}
