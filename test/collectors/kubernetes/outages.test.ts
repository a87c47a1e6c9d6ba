import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sumOf } from '../../../collectors/mapping/decimals.ts';
import { type Json, type KubernetesApi, startKubernetesApi } from '../../support/collectors/kubernetes-api.ts';
import { pod } from '../../support/collectors/kubernetes-objects.ts';
import { at, eventsIn, type RunningSource, startSource, T0 } from '../../support/collectors/kubernetes-source.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';
import { fc } from '../../support/property.ts';

/**
 * Whatever happens to the collector, to the network and to the API server while pods live, what is counted is what they lived.
 * The oracle is the story itself: seconds of each pod, by who paid.
 */
const RUNS = process.env['LONG'] === '1' ? 200 : 5;
const PODS = 4;

const STEPS = [
  // What pods do.
  'start',
  'start',
  'restart',
  'finish',
  'annotate',
  'remove',
  'wait',
  // What happens to everybody else.
  'kill',
  'stop',
  'cut',
  'outage',
  'double',
  'step the clock',
  'compact',
  'compact',
] as const;
const stepOf = fc.record({
  step: fc.constantFrom(...STEPS),
  pod: fc.nat(PODS - 1),
  seconds: fc.integer({ min: 1, max: 90 }),
});

interface PodState {
  name: string;
  subject: string;
  /** Since when it runs, seconds; undefined = it does not. */
  runsSince: number | undefined;
  lastRun: Json;
  restarts: number;
  isFinished: boolean;
}

class Story {
  readonly api: KubernetesApi;
  readonly folder: string;
  readonly pods = new Map<number, PodState>();
  /** Seconds by pod and subject, as they are lived. */
  readonly lived = new Map<string, number>();
  now = 0;
  source: RunningSource | undefined;
  second: RunningSource | undefined;
  skewMs = 0;
  /** Something has happened that a list does not tell. */
  isOnlyWatched = false;
  /** The server has forgotten what was before: until all is listed anew, only what a list tells can be known. */
  isForgotten = false;
  private count = 0;

  constructor(api: KubernetesApi, folder: string) {
    this.api = api;
    this.folder = folder;
    for (const name of ['a', 'b']) mkdirSync(join(folder, name));
  }

  async start(): Promise<void> {
    const watched = this.api.watched();
    this.source = this.open('a');
    if (!this.api.isDown) await watched;
  }
  open(name: string): RunningSource {
    return startSource(this.api, join(this.folder, name), { skewMs: this.skewMs, resources: { lookback: '24h' } });
  }
  /** Lets the running source know all that has happened. */
  async sync(): Promise<void> {
    if (this.source === undefined) await this.start();
    this.api.nowMs = T0 + this.now * 1000;
    const { source } = this;
    const ready = Math.floor((this.api.nowMs - 6000) / 60_000) * 60_000;
    const watched = this.api.watched();
    this.api.cut();
    await watched;
    await expect
      .poll(() => Math.max(0, ...(source?.reports ?? []).map(({ upToMs }) => upToMs ?? 0)))
      .toBeGreaterThanOrEqual(ready);
    this.isOnlyWatched = false;
    this.isForgotten = false;
  }

  put(state: PodState): void {
    const { name, subject, runsSince, lastRun, restarts, isFinished } = state;
    const ran = { state: isFinished ? { terminated: lastRun } : { running: { startedAt: at(runsSince ?? 0) } } };
    const before = !isFinished && restarts > 0 ? { lastState: { terminated: lastRun } } : { lastState: {} };
    const containerStatuses = [{ name: 'c', restartCount: restarts, ...ran, ...before }];
    this.api.put(
      'pods',
      pod(name, {
        metadata: { annotations: { 'openmeter.io/subject': subject } },
        status: { phase: isFinished ? 'Succeeded' : 'Running', containerStatuses },
      }),
    );
  }
  settle(state: PodState): void {
    if (state.runsSince === undefined) return;
    const key = `${state.name} ${state.subject}`;
    this.lived.set(key, (this.lived.get(key) ?? 0) + this.now - state.runsSince);
  }
  end(state: PodState): void {
    this.settle(state);
    state.lastRun = { startedAt: at(this.since.get(state) ?? 0), finishedAt: at(this.now) };
    state.runsSince = undefined;
  }
  /** When the run began, which a change of hands does not change. */
  readonly since = new Map<PodState, number>();

  async act(step: (typeof STEPS)[number], index: number): Promise<void> {
    const state = this.pods.get(index);
    const { api } = this;
    api.nowMs = T0 + this.now * 1000;
    if (this.isForgotten && (step === 'restart' || step === 'annotate' || step === 'remove')) {
      if (api.isDown) return;
      await this.sync();
    }
    switch (step) {
      case 'start': {
        if (state !== undefined) return;
        const fresh: PodState = {
          name: `pod-${index}-${this.count++}`,
          subject: 'first',
          runsSince: this.now,
          lastRun: undefined,
          restarts: 0,
          isFinished: false,
        };
        this.pods.set(index, fresh);
        this.since.set(fresh, this.now);
        return this.put(fresh);
      }
      case 'restart':
        if (state?.runsSince === undefined) return;
        this.end(state);
        state.restarts++;
        state.runsSince = this.now;
        this.since.set(state, this.now);
        this.isOnlyWatched = true;
        return this.put(state);
      case 'finish':
        if (state?.runsSince === undefined) return;
        this.end(state);
        state.isFinished = true;
        return this.put(state);
      case 'annotate':
        if (state?.runsSince === undefined) return;
        this.settle(state);
        state.subject = `${state.subject === 'first' ? 'second' : 'first'}`;
        // The pod runs on; who pays from here on is another.
        this.put({ ...state, runsSince: this.since.get(state) });
        state.runsSince = this.now;
        this.isOnlyWatched = true;
        return;
      case 'remove':
        if (state?.isFinished !== true) return;
        api.remove('pods', 'default', state.name);
        this.pods.delete(index);
        this.isOnlyWatched = true;
        return;
      default:
        return this.disturb(step);
    }
  }

  async disturb(step: (typeof STEPS)[number]): Promise<void> {
    const { api, source } = this;
    if (step === 'kill' || step === 'stop') {
      this.source = undefined;
      return source?.[step]();
    }
    if (step === 'cut') return api.cut();
    if (step === 'outage') {
      api.isDown = !api.isDown;
      if (api.isDown) return api.cut();
      return this.sync();
    }
    if (api.isDown) return;
    if (step === 'double') {
      await this.second?.kill();
      this.second = this.second === undefined ? this.open('b') : undefined;
    }
    if (step === 'step the clock') {
      this.skewMs = this.skewMs === 0 ? 3 * 86_400_000 : this.skewMs === 3 * 86_400_000 ? -7_200_000 : 0;
      await source?.kill();
      this.source = undefined;
      await this.start();
    }
    if (step === 'compact') {
      if (this.isOnlyWatched) await this.sync();
      api.compact();
      this.isForgotten = true;
      api.cut();
    }
    if (step === 'wait') await this.sync();
  }

  async finish(): Promise<void> {
    this.api.isDown = false;
    for (const index of this.pods.keys()) {
      await this.act('finish', index);
    }
    this.now += 200;
    await this.sync();
    await this.source?.stop();
    await this.second?.kill();
  }

  /** Of both disks, each id once; the one that was there first has sent its events first. */
  counted(): Record<string, string> {
    const seen = new Set<string>();
    const sums = new Map<string, string>();
    for (const { id, subject, data } of ['a', 'b'].flatMap((name) => eventsIn(join(this.folder, name)))) {
      if (seen.has(id)) continue;
      seen.add(id);
      const key = `${data.pod_name} ${subject}`;
      sums.set(key, sumOf([sums.get(key) ?? '0', data.duration_seconds]));
    }
    return Object.fromEntries([...sums].toSorted());
  }
}

test(`${RUNS} stories with kills, outages, steps of clocks and second collectors count what pods lived`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepOf, { minLength: 5, maxLength: 25 }), async (steps) => {
      const folder = tempFolder();
      const api = await startKubernetesApi(T0);
      const story = new Story(api, folder.path);
      try {
        await story.start();
        for (const { step, pod: index, seconds } of steps) {
          story.now += seconds;
          await story.act(step, index);
        }
        await story.finish();
        const expected = Object.fromEntries(
          [...story.lived]
            .filter(([, seconds]) => seconds > 0)
            .map(([key, seconds]) => [key, String(seconds)])
            .toSorted(),
        );
        expect(story.counted()).toEqual(expected);
      } finally {
        await story.source?.kill();
        await story.second?.kill();
        await api.close();
        folder.remove();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
