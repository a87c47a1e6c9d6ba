import { defined } from '../../platform/defined.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { QueueState } from '../outbox/index.ts';
import type { ChannelBody } from './schema.ts';
import type { ChannelSecrets, ListedChannel } from './types.ts';

const instant = (atMs: number | undefined) => (atMs === undefined ? undefined : formatInstant(atMs));

/** A channel as the API shows it. @param secrets undefined where they are not told */
export function toChannelBody(
  channel: ListedChannel,
  queue: QueueState | undefined,
  secrets: ChannelSecrets | undefined,
): ChannelBody {
  const { id, name, target, isDisabled, isOrdered, disabledReason, labels, createdAtMs, updatedAtMs } = channel;
  const isTold = secrets !== undefined && channel.deletedAtMs === undefined;
  return {
    id,
    ...target,
    name,
    disabled: isDisabled,
    ordered: isOrdered,
    health: {
      consecutive_failures: queue?.failures ?? 0,
      ...defined({
        failing_since: instant(queue?.failingSinceMs),
        paused_until: instant(queue?.pausedUntilMs),
        last_success_at: instant(queue?.lastSuccessAtMs),
        last_failure_at: instant(queue?.lastFailureAtMs),
      }),
    },
    created_at: formatInstant(createdAtMs),
    updated_at: formatInstant(updatedAtMs),
    ...defined({
      disabled_reason: disabledReason,
      custom_headers: isTold ? secrets.customHeaders : undefined,
      signing_secret: isTold ? secrets.signingSecret : undefined,
      labels,
      deleted_at: instant(channel.deletedAtMs),
    }),
  };
}
