import type { Target } from '../deliveries/index.ts';
import type { Channel } from './types.ts';

/** Where a channel's messages go now, with the secrets that sign now. */
export function targetOf({ target, secrets }: Channel, nowMs: number): Target {
  const { customHeaders: headers, signingSecret, previousSecret } = secrets;
  const isBoth = previousSecret !== undefined && previousSecret.untilMs > nowMs;
  const signingSecrets = isBoth ? [signingSecret, previousSecret.secret] : [signingSecret];
  return { type: target.type, url: target.url, headers, signingSecrets };
}
