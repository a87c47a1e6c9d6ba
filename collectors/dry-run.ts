import { setMaxListeners } from 'node:events';
import { createRareLog } from '../delivery/rare-log.ts';
import type { CollectorConfig, Config } from './config/read-config.ts';
import { createIntake } from './core/intake.ts';
import { type Cursor, type CursorChange, SpoolUnavailable, type Step, Stopped, type Taken } from './core/source.ts';
import type { Commit } from './core/spool.ts';
import type { RunSurroundings } from './run.ts';

/** A record may be of megabytes; a line of the log is for people. */
const MAX_SHOWN = 4000;

/**
 * Reads, maps and prints what would be sent, a JSON line each, and what makes no event to the log. Nothing is kept, so who
 * pushes is asked to come again. Sources begin where a new collector would.
 */
export async function dryRun(
  { collectors }: Config,
  once: boolean,
  print: (line: string) => void,
  surroundings: RunSurroundings,
): Promise<void> {
  const { clock, log, signal } = surroundings;
  setMaxListeners(0, signal);
  const rareLog = createRareLog(log, clock);

  async function runOne({ name, kind, settings, mapping }: CollectorConfig): Promise<void> {
    const cursor = createMemoryCursor();
    const part = {
      commit({ events, dead, cursor: changes }: Commit) {
        for (const event of events) print(event);
        for (const { reason, record } of dead)
          log('warn', 'a record makes no event', { collector: name, reason, record: record.slice(0, MAX_SHOWN) });
        cursor.change(changes);
        return Promise.resolve();
      },
      room: () => Promise.resolve(),
    };
    const { take } = createIntake({ name, mapping, part, clock, rareLog, signal });
    const tryTake = async (step: Step): Promise<Taken> => {
      await take(step);
      throw new SpoolUnavailable('this is a dry run: nothing is kept');
    };
    const context = { name, clock, signal, once, rareLog, cursor, take, tryTake, report() {} };
    await kind
      .create(settings, surroundings)
      .run(context)
      .catch((error: unknown) => {
        if (!(error instanceof Stopped)) throw error;
      });
  }

  await Promise.all(collectors.map(runOne));
  rareLog.flush();
}

function createMemoryCursor(): Cursor & { change(changes: readonly CursorChange[]): void } {
  const entries = new Map<string, string>();
  return {
    get: (key) => entries.get(key),
    list: (prefix, after, most) =>
      [...entries]
        .filter(([key]) => key.startsWith(prefix) && key > after)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, most)
        .map(([key, value]) => ({ key, value })),
    change(changes) {
      for (const { key, value } of changes) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      }
    },
  };
}
