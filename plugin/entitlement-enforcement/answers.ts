import type { AnswerSettings } from './config.ts';
import type { Decision } from './decide.ts';

/** What a refused request is answered with. */
export interface Refusal {
  readonly status: number;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer to a request that is not let through: status, body and reason are those of the Enterprise plugin. */
export function refusalOf(decision: Decision, settings: AnswerSettings, nowMs: number): Refusal {
  const reason = decision.reason ?? 'FEATURE_UNAVAILABLE';
  const { status, message } = settings.refusals[reason];
  const limits = settings.headers === 'none' ? {} : limitHeaders(decision, nowMs);
  const retry = retryHeader(decision);
  switch (settings.body) {
    case 'empty':
      return { status, body: undefined, headers: { ...limits, ...retry } };
    case 'problem': {
      const problem = { type: 'about:blank', title: message, status, reason };
      return { status, body: JSON.stringify(problem), headers: { ...typeHeader('problem+json'), ...limits, ...retry } };
    }
    case 'json': {
      const body = JSON.stringify({ message, reason });
      return { status, body, headers: { ...typeHeader('json'), ...limits, ...retry } };
    }
  }
}

/** Kong's own rate limiting names them so: the limit, what is left of it, and the seconds until it is filled up. */
export function limitHeaders({ limit }: Decision, nowMs: number): Record<string, string> {
  if (limit === undefined) return {};
  const { total, remaining, resetsAtMs } = limit;
  return {
    'RateLimit-Limit': String(Math.floor(total)),
    'RateLimit-Remaining': String(Math.floor(remaining)),
    ...(resetsAtMs !== undefined && { 'RateLimit-Reset': String(Math.max(0, Math.ceil((resetsAtMs - nowMs) / 1000))) }),
  };
}

function retryHeader({ retryAfterMs }: Decision): Record<string, string> {
  return retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
}

function typeHeader(subtype: string): Record<string, string> {
  return { 'Content-Type': `application/${subtype}; charset=utf-8` };
}
