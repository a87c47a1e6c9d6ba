import type { OpenedDelivery } from './opened-delivery.ts';

/**
 * Kong never says that a configuration is gone. When an API token is changed, the Delivery with the old one stays, and
 * keeps events that its endpoint will not take from it any more. It is over when its token is refused and nobody has
 * pushed to it for so long: every worker has changed to the new configuration by then.
 */
const FORSAKEN_AFTER_MS = 300_000;
/** Workers change one after the other: the new configuration may be there before the last push to the old one. */
const OVERLAP_MS = 60_000;

/**
 * The Delivery that has taken the place of one whose token was changed: the same endpoint, another token, opened when
 * the old one ended. One that was there before is another tenant's, however alike the two look; and if there are
 * several, nobody knows. undefined = there is none, or the old one still has a life of its own.
 */
export function successorOf(
  old: OpenedDelivery,
  all: Iterable<OpenedDelivery>,
  now: number,
): OpenedDelivery | undefined {
  if (!old.queue.isTokenRefused || now - old.lastPushAt < FORSAKEN_AFTER_MS) return undefined;
  const candidates = [...all].filter(
    (other) =>
      other.heir?.endpointKey === old.heir?.endpointKey &&
      other.settings.token !== old.settings.token &&
      !other.queue.isTokenRefused &&
      other.openedAt >= old.lastPushAt - OVERLAP_MS,
  );
  const [first, ...others] = candidates;
  return others.every(({ settings }) => settings.token === first?.settings.token) ? first : undefined;
}
