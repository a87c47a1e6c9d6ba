import type { Clock } from '../clock.ts';
import { RequestProblem } from '../errors.ts';
import type { Logger } from '../log.ts';

const MINUTE_MS = 60_000;
/** A person or a deployment with an old token stays below; a program that tries tokens does not. */
const WRONG_TOKENS_A_MINUTE = 20;
/** Some 100 bytes each. When more are known, the one that began first is forgotten: it would have been soon. */
const MAX_ADDRESSES = 10_000;
const MAX_TOKENS = 10_000;

/** How often something may be asked, by whom it is asked. */
export interface CallerLimits {
  /**
   * Notes that somebody sent a token that is not valid. Tokens are looked at first, so those who have a valid one are
   * never refused for what others behind the same address do.
   * @throws RequestProblem 429 when there were too many from this address within a minute
   */
  wrongToken(address: string | undefined): void;
  /** Notes a request of a valid token. @throws RequestProblem 429 when it has used up what it may */
  admit(tokenId: string): void;
}

/** @param deps.requestsAMinute of each token; undefined: as many as it likes */
export function createCallerLimits(deps: {
  clock: Clock;
  log: Logger;
  requestsAMinute?: number | undefined;
}): CallerLimits {
  const { clock, log, requestsAMinute } = deps;
  const addresses = new Map<string, { sinceMs: number; count: number }>();
  const budgets = new Map<string, { left: number; atMs: number }>();
  return {
    wrongToken(address) {
      if (address === undefined) return;
      const key = networkOf(address);
      const nowMs = clock.nowMs();
      let wrong = addresses.get(key);
      if (wrong === undefined || Math.abs(nowMs - wrong.sinceMs) >= MINUTE_MS) {
        addresses.delete(key);
        wrong = { sinceMs: nowMs, count: 0 };
        keep(addresses, key, wrong, MAX_ADDRESSES);
      }
      wrong.count += 1;
      if (wrong.count <= WRONG_TOKENS_A_MINUTE) return;
      if (wrong.count === WRONG_TOKENS_A_MINUTE + 1)
        log.warn({ address: key }, 'too many wrong tokens from an address');
      throw tooMany('Too many wrong tokens from this address.', wrong.sinceMs + MINUTE_MS - nowMs);
    },
    admit(tokenId) {
      if (requestsAMinute === undefined) return;
      const nowMs = clock.nowMs();
      const budget = budgets.get(tokenId) ?? { left: requestsAMinute, atMs: nowMs };
      const gained = (Math.max(0, nowMs - budget.atMs) * requestsAMinute) / MINUTE_MS;
      const left = Math.min(requestsAMinute, budget.left + gained);
      // The one that was used last stands last.
      budgets.delete(tokenId);
      keep(budgets, tokenId, { left: left >= 1 ? left - 1 : left, atMs: nowMs }, MAX_TOKENS);
      if (left >= 1) return;
      const waitMs = ((1 - left) * MINUTE_MS) / requestsAMinute;
      throw tooMany(`This token may send ${requestsAMinute} requests a minute.`, waitMs);
    },
  };
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
  map.set(key, value);
  if (map.size <= limit) return;
  // A map keeps the order of insertion.
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function tooMany(detail: string, waitMs: number): RequestProblem {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new RequestProblem('too-many-requests', `${detail} Try again in ${retryAfterSeconds} s.`, [], {
    retryAfterSeconds,
  });
}

/** One subscriber has a whole /64 of IPv6 addresses, and an IPv4 address may come in IPv6 form. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^::ffff:/i, '');
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return `${all.slice(0, 4).join(':')}::/64`;
}
