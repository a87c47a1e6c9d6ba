import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createIntake } from '../../../collectors/core/intake.ts';
import type { SourceReport } from '../../../collectors/core/source.ts';
import { openSpool } from '../../../collectors/core/spool.ts';
import { schedule } from '../../../collectors/kubernetes/index.ts';
import { sumOf } from '../../../collectors/mapping/decimals.ts';
import { compileMapping } from '../../../collectors/mapping/mapping.ts';
import { PRESETS } from '../../../collectors/mapping/presets.ts';
import { systemClock } from '../../../delivery/clock.ts';
import { createLog } from '../../../delivery/log.ts';
import { createRareLog } from '../../../delivery/rare-log.ts';
import type { Json, KubernetesApi } from './kubernetes-api.ts';

export const T0 = Date.parse('2026-11-30T01:00:00Z');
/** An instant, so many seconds after the beginning. */
export const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString().replace('.000Z', 'Z');

export interface RunningSource {
  readonly reports: readonly SourceReport[];
  readonly logged: readonly Record<string, Json>[];
  /** How many events it has put into the spool. */
  readonly taken: () => number;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<unknown>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it between two transactions, as SIGKILL does. */
  kill(): Promise<void>;
}

export interface SourceOptions {
  readonly resources?: Record<string, unknown>;
  readonly interval?: string;
  readonly once?: boolean;
  readonly name?: string;
  /** How far the wall clock of this machine is off. */
  readonly skewMs?: number;
}

/** The source with its preset and a real spool in this folder, without an endpoint: events stay in the spool. */
export function startSource(api: KubernetesApi, folder: string, options: SourceOptions = {}): RunningSource {
  const { resources = {}, interval = '60s', once = false, name = 'pods', skewMs = 0 } = options;
  const settings = schedule.schema.parse({
    interval,
    input: {
      kubernetes_resources: { kubeconfig: kubeconfigFor(api, folder), settle: '5s', lookback: '0s', ...resources },
    },
  });
  const clock = { ...systemClock, epochMs: () => Date.now() + skewMs };
  const spool = openSpool(join(folder, `${name}.sqlite`), 1e9, clock);
  const part = spool.part(name);
  const stopper = new AbortController();
  let isKilled = false;
  const logged: Record<string, Json>[] = [];
  const log = createLog((text) => logged.push(JSON.parse(text)));
  const rareLog = createRareLog(log, clock);
  const reports: SourceReport[] = [];
  const living = {
    room: part.room,
    commit: (commit: Parameters<typeof part.commit>[0]) =>
      isKilled ? new Promise<void>(() => {}) : part.commit(commit),
  };
  const type = resources['resource_type'] ?? 'pod';
  const preset =
    type === 'pod' ? 'kubernetes-pod-exec-time' : type === 'node' ? 'kubernetes-node-time' : 'kubernetes-storage-time';
  const mapping = compileMapping(PRESETS[preset]);
  const { take, tryTake } = createIntake({ name, mapping, part: living, clock, rareLog, signal: stopper.signal });
  const context = {
    name,
    clock,
    signal: stopper.signal,
    once,
    rareLog,
    cursor: part.cursor,
    take,
    tryTake,
    report: (report: SourceReport) => void reports.push(report),
  };
  const ended = schedule
    .create(settings, { clock, log })
    .run(context)
    .catch((error: unknown) => error);
  let isOver = false;
  const finish = () => {
    if (!isOver) spool.close();
    isOver = true;
  };
  return {
    reports,
    logged,
    taken: () => part.counts.taken,
    ended: ended.then((result) => {
      finish();
      return result;
    }),
    async stop() {
      stopper.abort();
      await ended;
      finish();
    },
    async kill() {
      isKilled = true;
      stopper.abort();
      // What it was about to commit never comes.
      await Promise.race([ended, new Promise((resolve) => setImmediate(() => setImmediate(resolve)))]);
      finish();
    },
  };
}

function kubeconfigFor(api: KubernetesApi, folder: string): string {
  const file = join(folder, 'kubeconfig');
  if (!existsSync(file)) {
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: api.url } }],
      users: [{ name: 'test', user: { token: 'token-1' } }],
    };
    writeFileSync(file, JSON.stringify(config));
  }
  return file;
}

/** All events that have ever been put into the spool, each id once: the first counts, as in the backend. */
export function eventsIn(folder: string, name = 'pods'): Json[] {
  const spool = openSpool(join(folder, `${name}.sqlite`), 1e9, systemClock);
  const part = spool.part(name);
  const numbers = part.after(0, 10_000_000, Number.POSITIVE_INFINITY).map(({ number }) => number);
  const events: Json[] = numbers.length === 0 ? [] : JSON.parse(`[${Buffer.concat(part.jsonOf(numbers)).toString()}]`);
  spool.close();
  const seen = new Set<string>();
  return events.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** What a source has to have done by now: counted up to this instant. */
export async function countedTo(source: RunningSource, ms: number): Promise<void> {
  await expect.poll(() => Math.max(0, ...source.reports.map(({ upToMs }) => upToMs ?? 0))).toBeGreaterThanOrEqual(ms);
}

/** The sum of a field over events, exactly. */
export function total(events: readonly Json[], field: string): string {
  return sumOf(events.map(({ data }) => data[field]));
}
