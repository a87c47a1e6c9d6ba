/** Where something is told. */
export interface Channel {
  id: string;
  name: string;
  /** Its type, and where it goes, without secrets. */
  target: ChannelTarget;
  secrets: ChannelSecrets;
  isOrdered: boolean;
  isDisabled: boolean;
  /** Why the sender has switched it off; undefined: it has not. */
  disabledReason: string | undefined;
  labels: Readonly<Record<string, string>> | undefined;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs: number | undefined;
}

/** A channel as lists have it. */
export type ListedChannel = Omit<Channel, 'secrets'>;

export type ChannelTarget = { type: 'webhook'; url: string };

/** What nobody reads who reads the database. */
export interface ChannelSecrets {
  customHeaders: Readonly<Record<string, string>>;
  signingSecret: string;
  /** The one before, which signs as well until an instant. */
  previousSecret?: { secret: string; untilMs: number } | undefined;
}
