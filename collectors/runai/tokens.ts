import type { Clock } from '../../delivery/clock.ts';
import { ApiFailure, type Send } from './http.ts';

export interface TokenSettings {
  readonly appId: string;
  readonly appSecret: string;
  readonly grant: 'client_credentials' | 'app_token';
}

/** Access tokens for an application's credentials. */
export interface Tokens {
  /** One that should be good now. @throws ApiFailure @throws Stopped */
  get(signal: AbortSignal): Promise<string>;
  /** It was refused. */
  forget(token: string): void;
}

/** The rest of a token's life is left for requests under way, and for clocks that run differently. */
const USED_PART = 0.8;
const MAX_LIFE_S = 86_400;
/** What a header can carry. */
const TOKEN = /^[\x21-\x7e]{1,12000}$/;

export function createTokens({ appId, appSecret, grant }: TokenSettings, send: Send, clock: Clock): Tokens {
  let current: { readonly token: string; readonly until: number } | undefined;
  // Requests at once ask once.
  let asking: Promise<string> | undefined;
  const body = JSON.stringify(
    grant === 'app_token'
      ? { grantType: 'app_token', AppId: appId, AppSecret: appSecret }
      : { grantType: 'client_credentials', clientID: appId, clientSecret: appSecret },
  );

  async function ask(signal: AbortSignal): Promise<string> {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const { status, text } = await send({ method: 'POST', path: '/api/v1/token', headers, body, signal });
    if (status !== 200) throw new ApiFailure(`a token is refused (${status}): app_id, app_secret or grant`, false);
    const { token, lifeS } = tokenOf(text);
    current = { token, until: clock.now() + lifeS * 1000 * USED_PART };
    return token;
  }

  return {
    get(signal) {
      if (current !== undefined && clock.now() < current.until) return Promise.resolve(current.token);
      asking ??= ask(signal).finally(() => {
        asking = undefined;
      });
      return asking;
    },
    forget(token) {
      if (current?.token === token) current = undefined;
    },
  };
}

function tokenOf(text: string): { readonly token: string; readonly lifeS: number } {
  let given: { readonly accessToken?: unknown; readonly expiresIn?: unknown } | null;
  try {
    given = JSON.parse(text);
  } catch {
    given = null;
  }
  const { accessToken: token, expiresIn } = given ?? {};
  if (typeof token !== 'string' || !TOKEN.test(token)) throw new ApiFailure('the answer has no access token', false);
  const isKnown = typeof expiresIn === 'number' && expiresIn > 0;
  return { token, lifeS: isKnown ? Math.min(expiresIn, MAX_LIFE_S) : MAX_LIFE_S };
}
