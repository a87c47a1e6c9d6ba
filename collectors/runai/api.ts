import type { Clock } from '../../delivery/clock.ts';
import { parseExactJson } from '../core/exact-json.ts';
import { pause } from '../core/source.ts';
import { ApiFailure, openHttp, type Reply } from './http.ts';
import { createTokens, type TokenSettings } from './tokens.ts';

export interface ApiSettings extends TokenSettings {
  readonly url: string;
  readonly concurrency: number;
  readonly http: {
    readonly timeoutMs: number;
    readonly retryCount: number;
    readonly retryWaitMs: number;
    readonly retryMaxWaitMs: number;
  };
}

export interface ApiAnswer {
  /** 200, or 207: something of it is missing. */
  readonly status: number;
  /** Numbers of many digits are texts of them. */
  readonly body: unknown;
  readonly dateMs: number | undefined;
}

/** Run:ai's control plane, read only. */
export interface RunaiApi {
  /** @throws ApiFailure @throws Stopped */
  get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ApiAnswer>;
  close(): void;
}

/** What the server says for good; other refusals (a right that is missing) somebody may mend. */
const FOR_GOOD = new Set([400, 404, 410, 422]);

export function createApi(settings: ApiSettings, clock: Clock): RunaiApi {
  const { http } = settings;
  const { send, close } = openHttp({ ...settings, timeoutMs: http.timeoutMs }, clock);
  const tokens = createTokens(settings, send, clock);

  async function authorized(path: string, signal: AbortSignal): Promise<Reply> {
    for (let attempt = 0; ; attempt++) {
      const token = await tokens.get(signal);
      const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
      const reply = await send({ method: 'GET', path, headers, signal });
      if (reply.status !== 401) return reply;
      // It may have run out, or been revoked, while the request was under way.
      tokens.forget(token);
      if (attempt > 0) throw new ApiFailure('the token is refused (401)', false);
    }
  }

  /** @returns the answer, or after how long to ask again */
  async function attempt(path: string, signal: AbortSignal): Promise<ApiAnswer | number> {
    const { status, text, dateMs, retryAfterMs } = await authorized(path, signal);
    if (status === 200 || status === 207) return { status, body: jsonOf(text), dateMs };
    if (status === 408 || status === 429 || status >= 500) return retryAfterMs ?? 0;
    throw new ApiFailure(`the answer is ${status}`, FOR_GOOD.has(status));
  }

  return {
    async get(path, query, signal) {
      const whole = `${path}?${new URLSearchParams(query).toString()}`;
      for (let attempts = 0; ; attempts++) {
        const isLast = attempts >= http.retryCount;
        let askedMs = 0;
        try {
          const answer = await attempt(whole, signal);
          if (typeof answer !== 'number') return answer;
          askedMs = answer;
        } catch (error) {
          if (!(error instanceof ApiFailure) || error.isForGood || isLast) throw error;
        }
        if (isLast) throw new ApiFailure('the server cannot answer now', false);
        const waitMs = Math.max(askedMs, http.retryWaitMs * 2 ** attempts);
        await pause(clock, Math.min(http.retryMaxWaitMs, waitMs), signal);
      }
    },
    close,
  };
}

function jsonOf(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    // A proxy's page, or an answer that was cut off.
    throw new ApiFailure('the answer is no JSON', false);
  }
}
