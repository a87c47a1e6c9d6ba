import { systemClock } from '../../delivery/clock.ts';
import { objectOf, textOf } from '../metering-and-billing/json-values.ts';
import { noticeOnce } from '../metering-and-billing/notices.ts';
import { limitHeaders, refusalOf } from './answers.ts';
import { type EnforcementConfig, readConfig } from './config.ts';
import { findCustomerKey, type Kong } from './customer.ts';
import type { Enforcer } from './enforcer.ts';
import { openEnforcer } from './enforcers.ts';
import { findTokens } from './prompt-hold.ts';

export { Schema } from './schema.ts';

/** Set by the build to the version of the package. */
declare const PLUGIN_VERSION: string | undefined;

/** The name under which Kong configures the plugin. */
export const Name = 'entitlement-enforcement';

/** Read from source, not from a build, there is no version. */
export const Version = typeof PLUGIN_VERSION === 'string' ? PLUGIN_VERSION : '0.0.0';

/** Behind whoever says who it is (key-auth 1250, acl 950), before Kong's rate limiting (910) and everything that costs. */
export const Priority = 920;

/** One instance per plugin configuration and Kong worker. The prototype's methods are the phases that Kong calls. */
export class Plugin {
  readonly #config: EnforcementConfig | undefined;
  readonly #enforcer: Enforcer | undefined;
  /** Whether a configuration that cannot work lets nobody pass. */
  readonly #blocks: boolean;

  /** @param config - the configuration as Kong hands it over. Never throws. */
  constructor(config: unknown) {
    const { config: read, problems } = readConfig(config);
    this.#config = read;
    this.#enforcer = read && openEnforcer(read.access);
    this.#blocks = objectOf(config)?.['fail_policy'] === 'block';
    const pluginId = textOf(objectOf(config)?.['__plugin_id']) ?? 'unknown';
    for (const detail of problems ?? []) {
      noticeOnce('error', 'the configuration cannot work: nothing is enforced', { detail, plugin_id: pluginId });
    }
    for (const field of read?.withoutEffect ?? []) {
      noticeOnce('warn', 'a field of the Enterprise plugin has no effect here', { field, plugin_id: pluginId });
    }
  }

  /**
   * Lets a request pass or answers it. One call to Kong to find the customer; the answer, or the headers, leave with what
   * ends the event.
   */
  async access(kong: Kong): Promise<void> {
    const config = this.#config;
    if (config === undefined || this.#enforcer === undefined) {
      if (this.#blocks) await kong.response.exit(503, undefined, {});
      return;
    }
    const key = await findCustomerKey(config.customer, kong);
    const units = config.decision.holdsTokens ? await findTokens(config.decision, kong) : undefined;
    let decision = this.#enforcer.check(key, config.decision, units);
    if (decision.isProvisional === true && key !== undefined) {
      decision = await this.#enforcer.checkAgain(key, config.decision, config.decision.coldStartWaitMs, units);
    }
    const nowMs = systemClock.epochMs();
    if (!decision.isAllowed) {
      const { status, body, headers } = refusalOf(decision, config.answer, nowMs);
      await kong.response.exit(status, body, headers);
      return;
    }
    // Not waited for: over ProtoBuf:1 it travels with the end of the event.
    if (config.answer.headers === 'all' && decision.limit !== undefined) {
      kong.response.setHeaders(limitHeaders(decision, nowMs)).catch(() => undefined);
    }
  }
}
