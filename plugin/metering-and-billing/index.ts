import {
  countRequest,
  flushDelivery,
  installShutdown,
  isDeliveryBehind,
  recallRequests,
  reportDrop,
} from '../delivery/index.ts';
import { openUsageMeter, type UsageMeter } from './usage-meter.ts';

export { ConfigEntityChecks, Schema } from './schema.ts';

/** Set by the build to the version of the package. */
declare const PLUGIN_VERSION: string | undefined;

/** What this plugin calls of Kong's plugin development kit. Most other calls are never answered in the log phase. */
export interface Kong {
  readonly log: {
    /** The log entry of the request as a JSON string; `undefined` when Kong could not encode it. */
    serialize(): Promise<unknown>;
  };
}

/** The name under which Kong configures the plugin. */
export const Name = 'metering-and-billing';

/** Read from source, not from a build, there is no version. */
export const Version = typeof PLUGIN_VERSION === 'string' ? PLUGIN_VERSION : '0.0.0';

/** That of the Enterprise plugin: before http-log (12), opentelemetry (14) and prometheus (13). */
export const Priority = 16;

/**
 * For a plugin server that can use it: what each phase asks Kong for, first and only. It can then ask before the plugin
 * runs, and let Kong go with the same answer. Kong's own plugin server ignores it.
 */
export const Prefetch = { log: ['kong.log.serialize'] } as const;

/**
 * For a plugin server that can use it: stores what has been taken, and is called before Kong is told that an event is
 * over. So what Kong has been told of is not lost when the process is killed.
 */
export const settle: () => void = flushDelivery;

/** For a plugin server that can use it: whether batches are due that a pause of this process would hold up. */
export const isBehind: () => boolean = isDeliveryBehind;

/** For a plugin server that can use it: called when another of its processes is gone, before Kong comes here instead. */
export const otherGone: () => void = recallRequests;

/**
 * One instance per plugin configuration and Kong worker. The prototype's methods are the phases that Kong calls: only
 * `log`, after the client has its answer.
 */
export class Plugin {
  readonly #meter: UsageMeter;

  /** @param config - the configuration as Kong hands it over. Never throws. */
  constructor(config: unknown) {
    installShutdown();
    this.#meter = openUsageMeter(config);
  }

  /** Meters one request. Exactly one call to Kong, since each costs a round trip; never rejects. */
  async log(kong: Kong): Promise<void> {
    try {
      const { outcome, requestId } = this.#meter(await kong.log.serialize());
      countRequest(outcome, requestId);
    } catch {
      // Kong refused the call, or the entry has a shape that nobody foresaw. The error may quote the entry, and the
      // plugin server would log it.
      reportDrop('unreadable_log_entry');
      countRequest('unreadable_log_entry');
    }
  }
}
