import { formatInstant } from '../../platform/instant.ts';
import { parseJsonText } from '../../platform/json.ts';
import type { EventBody } from './schema.ts';
import type { Attempt, Delivery, NotificationEvent } from './types.ts';

/** Names what was made by hand, as OpenMeter does. */
const TEST_ANNOTATIONS = { 'notification.rule.test': 'true' };

/** An event as the API shows it. @param attempts the newest first */
export function toEventBody(
  event: NotificationEvent,
  deliveries: readonly Delivery[],
  attempts: readonly Attempt[],
): EventBody {
  const { id, type, rule, payload, isTest, createdAtMs } = event;
  return {
    id,
    type,
    created_at: formatInstant(createdAtMs),
    rule: { ...rule, type },
    delivery_status: deliveries.map((delivery) => ({
      channel_id: delivery.channelId,
      state: delivery.state,
      reason: delivery.reason,
      updated_at: formatInstant(delivery.updatedAtMs),
      ...(delivery.dueAtMs !== undefined && { next_attempt: formatInstant(delivery.dueAtMs) }),
      attempts: attempts.filter(({ channelId }) => channelId === delivery.channelId).map(toAttemptBody),
    })),
    payload: parseJsonText(payload) as Record<string, unknown>,
    ...(isTest && { annotations: TEST_ANNOTATIONS }),
  };
}

function toAttemptBody({ isSuccess, statusCode, body, durationMs, atMs }: Attempt) {
  return {
    state: isSuccess ? ('success' as const) : ('failed' as const),
    response: { ...(statusCode !== undefined && { status_code: statusCode }), body, duration_ms: durationMs },
    timestamp: formatInstant(atMs),
  };
}
