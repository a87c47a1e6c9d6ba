/**
 * What each recorded request is to be billed as, written down by hand from the recordings: which fields the gateway
 * logged, read against the catalogue of the two event types. Nothing here is computed by the plugin.
 */
export interface RecordedUsage {
  readonly requestId: string;
  /** `started_at`, as the event's `time`. */
  readonly time: string;
  /** The Consumer's username; none: the request was not authenticated. */
  readonly username?: 'alice';
  /** Data of the `kong.api_request` event, but for `subject_type`. */
  readonly apiRequest: Readonly<Record<string, string | number>>;
  /** Data of the `kong.llm_request` event for the prompt, and for the answer, but for `subject_type`. */
  readonly prompt?: Readonly<Record<string, string | number>>;
  readonly answer?: Readonly<Record<string, string | number>>;
  /** Token counts that the gateway logged as 0 because it did not know them. */
  readonly unknownCounts?: number;
}

/** What curl sends and the gateway logs of it. */
export const CURL = { client_ip: '127.0.0.1', request_host: '127.0.0.1:8000', request_user_agent: 'curl/7.88.1' };
