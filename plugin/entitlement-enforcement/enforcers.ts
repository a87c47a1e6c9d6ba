import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../delivery/clock.ts';
import { createLog, stderrSink } from '../../delivery/log.ts';
import { createRareLog, type RareLog } from '../../delivery/rare-log.ts';
import { enforcementDir, feedSocketPath } from '../usage-feed/config.ts';
import { openUsageFeedReader, type UsageFeedReader } from '../usage-feed/receiver.ts';
import type { AccessSettings } from './config.ts';
import { createEnforcer, type Enforcer } from './enforcer.ts';
import { readState, writeState, writeStateInBackground } from './state-file.ts';

/** What the plugin's instances have in common: Kong starts one for each worker and configuration. */
interface Shared {
  readonly clock: Clock;
  readonly rareLog: RareLog;
  readonly feed: UsageFeedReader;
  readonly opened: Map<string, { readonly enforcer: Enforcer; readonly base: string; readonly featureKey: string }>;
}

/** What has changed is put on disk after this long: a crash forgets the requests of this last while. */
const SAVE_EVERY_MS = 50;
/** Writing may take a tenth of the time: with thousands of customers it comes less often. */
const PAUSE_PER_WRITING = 10;
const MAX_PAUSE_MS = 300;

let theShared: Shared | undefined;

/** The enforcer of these settings: equal settings give the same one. */
export function openEnforcer(settings: AccessSettings): Enforcer {
  theShared ??= start();
  const { clock, rareLog, feed, opened } = theShared;
  const key = keyOf(settings);
  const known = opened.get(key);
  if (known !== undefined) return known.enforcer;
  const base = join(enforcementDir(), key);
  const enforcer = createEnforcer(settings, {
    clock,
    rareLog,
    feed,
    saved: readState(base),
    spentElsewhere: (customerId, currency) => spentByOthers(opened, settings.featureKey, customerId, currency),
  });
  opened.set(key, { enforcer, base, featureKey: settings.featureKey });
  return enforcer;
}

/** By the enforcers of other features: each knows what it has let through itself. */
function spentByOthers(opened: Shared['opened'], own: string, customerId: string, currency: string): number {
  let spent = 0;
  for (const { enforcer, featureKey } of opened.values()) {
    if (featureKey !== own) spent += enforcer.spent(customerId, currency);
  }
  return spent;
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
  const saveAgain = async (): Promise<void> => {
    const startedAt = clock.now();
    for (const { enforcer, base } of shared.opened.values()) {
      await writeStateInBackground(base, enforcer.save()).catch(notSaved);
    }
    const pauseMs = (clock.now() - startedAt) * PAUSE_PER_WRITING;
    clock.setTimer(() => void saveAgain(), Math.max(SAVE_EVERY_MS, Math.min(pauseMs, MAX_PAUSE_MS)), {
      background: true,
    });
  };
  clock.setTimer(() => void saveAgain(), SAVE_EVERY_MS, { background: true });
  process.on('exit', () => saveAll(shared, notSaved));
  return shared;
}

function saveAll({ opened }: Shared, onError: (error: unknown) => void): void {
  for (const { enforcer, base } of opened.values()) {
    try {
      writeState(base, enforcer.save(true));
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
