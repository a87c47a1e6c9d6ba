import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from '../delivery/clock.ts';
import { createLog, stderrSink } from '../delivery/log.ts';
import { createRareLog, type RareLog } from '../delivery/rare-log.ts';
import { enforcementDir, feedSocketPath } from '../usage-feed/config.ts';
import { openUsageFeedReader, type UsageFeedReader } from '../usage-feed/receiver.ts';
import type { AccessSettings } from './config.ts';
import { createEnforcer, type Enforcer } from './enforcer.ts';
import { readState, writeState } from './state-file.ts';

/** What the plugin's instances have in common: Kong starts one for each worker and configuration. */
interface Shared {
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly feed: UsageFeedReader;
  readonly opened: Map<string, { readonly enforcer: Enforcer; readonly base: string }>;
}

/** How often requests under way are put on disk: a crash forgets those of this last while. */
const SAVE_EVERY_MS = 1000;
/** What is known is asked for anew after a restart anyway; it is larger, and written every so many times only. */
const SAVES_PER_KNOWN = 5;

let theShared: Shared | undefined;

/** The enforcer of these settings: equal settings give the same one. */
export function openEnforcer(settings: AccessSettings): Enforcer {
  theShared ??= start();
  const { clock, rareLog, feed, opened } = theShared;
  const key = keyOf(settings);
  const known = opened.get(key);
  if (known !== undefined) return known.enforcer;
  const base = join(enforcementDir(), key);
  const enforcer = createEnforcer(settings, { clock, rareLog, feed, saved: readState(base) });
  opened.set(key, { enforcer, base });
  return enforcer;
}

function start(): Shared {
  const clock = systemClock;
  const rareLog = createRareLog(createLog(stderrSink), clock);
  const failed = (key: string, msg: string) => (error: unknown) => {
    const cause = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : 'unknown');
    rareLog.note({ key, level: 'error', msg, fields: { cause } });
  };
  const feed = openUsageFeedReader(
    feedSocketPath(),
    clock,
    failed('feed', 'the metering plugin cannot be listened to'),
  );
  const shared: Shared = { clock, rareLog, feed, opened: new Map() };
  const notSaved = failed('save', 'what is known of entitlements cannot be kept');
  let saves = 0;
  const saveAgain = (): void => {
    saves++;
    saveAll(shared, saves % SAVES_PER_KNOWN === 0, notSaved);
    clock.setTimer(saveAgain, SAVE_EVERY_MS, { background: true });
  };
  clock.setTimer(saveAgain, SAVE_EVERY_MS, { background: true });
  process.on('exit', () => saveAll(shared, true, notSaved));
  return shared;
}

function saveAll({ opened }: Shared, withKnown: boolean, onError: (error: unknown) => void): void {
  for (const { enforcer, base } of opened.values()) {
    try {
      const { known, admissions } = enforcer.save();
      writeState(base, withKnown ? { known, admissions } : { admissions });
    } catch (error) {
      onError(error);
    }
  }
}

/** Hashed, so that the token is in no file name. */
function keyOf({ endpoint, ...rest }: AccessSettings): string {
  return createHash('sha256')
    .update(JSON.stringify([endpoint.href, rest]))
    .digest('hex')
    .slice(0, 24);
}
