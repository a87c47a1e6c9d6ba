import { systemClock } from '../../delivery/clock.ts';
import { type Delivery, isAdopting, onSettled, openDelivery, reportDrop } from '../delivery/index.ts';
import { feedSocketPath } from '../usage-feed/config.ts';
import { createUsageFeed, type UsageFeed } from '../usage-feed/sender.ts';
import { fingerprint, type PluginConfig, readConfig } from './config.ts';
import { fieldOf, objectOf, textOf } from './json-values.ts';
import { noticeOnce } from './notices.ts';
import { type Usage, usageOf } from './usage-events.ts';

/** Takes what `kong.log.serialize()` answered and leaves the events for delivery. Returns at once, never throws. */
export type UsageMeter = (rawEntry: unknown) => Pick<Usage, 'outcome' | 'requestId'>;

/**
 * Opens the meter of one plugin configuration, as Kong hands it over. Never throws: Kong starts an instance again for
 * every request until it succeeds. A configuration that cannot work is said on stderr, and what its requests would have
 * been billed is counted as dropped.
 */
export function openUsageMeter(rawConfig: unknown): UsageMeter {
  const { config, problems } = readConfig(rawConfig);
  if (problems !== undefined) return refuse(rawConfig, problems);
  say('warn', 'check the configuration', rawConfig, config.warnings);
  try {
    return meterInto(openDelivery(config.delivery), config);
  } catch (error) {
    return refuse(rawConfig, [error instanceof TypeError ? error.message : 'the delivery could not be opened']);
  }
}

// One for the process: an enforcing plugin on this gateway is told of all that is metered here.
let theFeed: UsageFeed | undefined;

function feed(): UsageFeed {
  if (theFeed === undefined) {
    theFeed = createUsageFeed(feedSocketPath(), systemClock, isAdopting);
    onSettled(theFeed.settled);
  }
  return theFeed;
}

function meterInto(delivery: Delivery, { metering }: PluginConfig): UsageMeter {
  const { logged, made } = feed();
  return (rawEntry) => {
    const { outcome, requestId, events, drops, passedSubject } = usageOf(metering, rawEntry);
    for (const event of events) {
      const ticket = delivery.push({ json: JSON.stringify(event) });
      if (ticket !== undefined) made(ticket, event);
    }
    if (passedSubject !== undefined) logged(passedSubject);
    for (const drop of drops) reportDrop(drop.reason, drop.count, drop.detail);
    return { outcome, requestId };
  };
}

function refuse(rawConfig: unknown, problems: readonly string[]): UsageMeter {
  say('error', 'the configuration cannot work: nothing is metered', rawConfig, problems);
  return () => {
    reportDrop('bad_config');
    return { outcome: 'bad_config', requestId: undefined };
  };
}

function say(level: 'warn' | 'error', msg: string, rawConfig: unknown, details: readonly string[]): void {
  const pluginId = textOf(fieldOf(objectOf(rawConfig), '__plugin_id')) ?? 'unknown';
  for (const detail of details) noticeOnce(level, msg, { detail, plugin_id: pluginId, config: fingerprint(rawConfig) });
}
