/** Rows of the outbox, and what they say. */
import { toStoredInstant } from '../../platform/instant.ts';
import type { Attempt, Delivery, DeliveryState, NotificationEvent, QueueState } from './types.ts';

export interface EventRow {
  id: string;
  type: string;
  rule_id: string;
  rule_name: string;
  payload: string;
  subject: string | null;
  feature_key: string | null;
  dedupe_key: string | null;
  is_test: number;
  created_at: string;
}

export interface DeliveryRow {
  event_id: string;
  channel_id: string;
  state: string;
  reason: string;
  attempt: number;
  due_at: string | null;
  lease: string | null;
  updated_at: string;
}

export interface QueueRow {
  channel_id: string;
  due_at: string | null;
  paused_until: string | null;
  failures: number;
  failing_since: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
}

export interface AttemptRow {
  id: string;
  event_id: string;
  channel_id: string;
  state: string;
  status_code: number | null;
  body: string;
  duration_ms: number;
  at: string;
}

export const stored = (atMs: number | undefined) => (atMs === undefined ? null : toStoredInstant(atMs));
const millis = (text: string | null) => (text === null ? undefined : Date.parse(text));

export function toEvent(row: EventRow): NotificationEvent {
  return {
    id: row.id,
    type: row.type,
    rule: { id: row.rule_id, name: row.rule_name },
    payload: row.payload,
    isTest: row.is_test === 1,
    createdAtMs: Date.parse(row.created_at),
  };
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    eventId: row.event_id,
    channelId: row.channel_id,
    state: row.state as DeliveryState,
    reason: row.reason,
    attempt: row.attempt,
    dueAtMs: millis(row.due_at),
    updatedAtMs: Date.parse(row.updated_at),
  };
}

export function toAttempt(row: AttemptRow): Attempt {
  return {
    eventId: row.event_id,
    channelId: row.channel_id,
    isSuccess: row.state === 'success',
    statusCode: row.status_code ?? undefined,
    body: row.body,
    durationMs: row.duration_ms,
    atMs: Date.parse(row.at),
  };
}

export function toQueueState(row: QueueRow): QueueState {
  return {
    failures: row.failures,
    failingSinceMs: millis(row.failing_since),
    pausedUntilMs: millis(row.paused_until),
    lastSuccessAtMs: millis(row.last_success_at),
    lastFailureAtMs: millis(row.last_failure_at),
  };
}
