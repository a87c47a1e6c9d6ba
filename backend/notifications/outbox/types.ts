/** What has happened and who is told, as it is stored. Instants are milliseconds since the epoch. */

/** `resending`: on its way once more since somebody has asked for it. */
export const DELIVERY_STATES = ['success', 'failed', 'sending', 'pending', 'resending'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** What is written down in the transaction in which it happens. */
export interface NewEvent {
  type: string;
  rule: { id: string; name: string };
  /** Living channels that are told. */
  channelIds: readonly string[];
  /** What the type of the event says of its data. */
  data: Readonly<Record<string, unknown>>;
  /** As an event's subject: what it is about. */
  subject?: string | undefined;
  featureKey?: string | undefined;
  /** What has happened once is told once: a second event with the same one is not written. */
  dedupeKey?: string | undefined;
  isTest?: boolean | undefined;
}

export interface NotificationEvent {
  id: string;
  type: string;
  rule: { id: string; name: string };
  /** The text that is sent. */
  payload: string;
  isTest: boolean;
  createdAtMs: number;
}

export interface Delivery {
  eventId: string;
  channelId: string;
  state: DeliveryState;
  reason: string;
  /** Attempts so far of this round; a resend begins a new one. */
  attempt: number;
  /** undefined: it is over. */
  dueAtMs: number | undefined;
  updatedAtMs: number;
}

export interface Attempt {
  eventId: string;
  channelId: string;
  isSuccess: boolean;
  statusCode: number | undefined;
  /** The beginning of the answer, or why there is none. */
  body: string;
  durationMs: number;
  atMs: number;
}

/** How it goes with a channel. */
export interface QueueState {
  /** In a row. */
  failures: number;
  failingSinceMs: number | undefined;
  pausedUntilMs: number | undefined;
  lastSuccessAtMs: number | undefined;
  lastFailureAtMs: number | undefined;
}

/** A message that somebody is to send now. */
export interface ClaimedDelivery extends Delivery {
  /** Proves that nobody else has it: given back with the result. */
  lease: string;
  payload: string;
}

/** What became of an attempt. */
export interface Settled {
  state: DeliveryState;
  reason: string;
  /** The next attempt; undefined: there is none. */
  dueAtMs: number | undefined;
  /** Undefined: nothing was sent. */
  attempt: Omit<Attempt, 'eventId' | 'channelId'> | undefined;
  queue: Pick<QueueState, 'failures' | 'failingSinceMs' | 'pausedUntilMs'>;
}
