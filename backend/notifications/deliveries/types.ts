/** Where messages of a channel go, opened: with its secrets. */
export type Target = WebhookTarget;

export interface WebhookTarget {
  type: 'webhook';
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Every one signs: the newest first, and the one before it for as long as that holds. */
  signingSecrets: readonly string[];
}

export interface Message {
  /** Of the event: the same over all attempts, by which receivers know what they have. */
  id: string;
  payload: string;
  /** Of the attempt. */
  atMs: number;
}

/** What a receiver has made of a message. */
export interface Sent {
  isSuccess: boolean;
  statusCode: number | undefined;
  /** The beginning of the answer, or why there is none. */
  body: string;
  /** The receiver wants it not before this has passed. */
  retryAfterMs?: number | undefined;
  /** The receiver does not want this message again. */
  isRefused?: boolean | undefined;
  /** The receiver wants no message of this channel any more. */
  isGone?: boolean | undefined;
}

/** Sends a message. Never throws for what a receiver does. */
export type Transport<Of extends Target> = (target: Of, message: Message) => Promise<Sent>;

/** One for each type of channel: a forgotten one does not compile. */
export type Transports = { readonly [Type in Target['type']]: Transport<Extract<Target, { type: Type }>> };

/** What the sender asks of channels. */
export interface SendersChannel {
  isOrdered: boolean;
  /** Why nothing is sent; undefined: something is. */
  closed: 'channel_disabled' | 'channel_deleted' | undefined;
  target: Target | undefined;
}
