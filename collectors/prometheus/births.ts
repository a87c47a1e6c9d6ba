import type { Labels } from './answer.ts';
import type { Asking } from './asking.ts';
import { type Held, held } from './held.ts';
import { durationOf, literally, quoted } from './promql.ts';
import { canonical } from './series-records.ts';
import type { Window } from './windows.ts';

/** What the server knows of targets and series that are new to us. Milliseconds since 1970. */
export interface Births {
  readonly kind: 'births';
  /** Successful scrapes of a target, in order. */
  scrapesOf(labels: Labels): readonly number[];
  /** When a series began to count, by its `…_created`. */
  createdOf(labels: Labels): number | undefined;
  /** When the process of a target began. */
  processOf(labels: Labels): number | undefined;
}

export interface BirthsSettings {
  readonly target: readonly string[];
  readonly newTargets: 'base' | 'count';
}

/** How far behind the window is looked: more than lies between two scrapes. */
const LOOK_BACK_MS = 3_600_000;
const TARGETS_A_QUESTION = 50;
const CREATED = '_created';

/** Asks about the targets of series that have not been seen before. */
export async function askBirths(
  series: readonly Labels[],
  sinceMs: number,
  window: Window,
  asking: Asking,
  { target, newTargets }: BirthsSettings,
): Promise<Births | Held> {
  const targetOf = (labels: Labels) => canonical(picked(labels, target));
  const scrapes = new Map<string, number[]>();
  const created = new Map<string, number>();
  const processes = new Map<string, number>();
  const widthMs = window.toMs - window.fromMs;
  const range = `[${durationOf(Math.max(widthMs, Math.min(window.toMs - sinceMs, widthMs + LOOK_BACK_MS)))}]`;
  const targets = [...new Map(series.map((labels) => [targetOf(labels), picked(labels, target)])).values()];
  const names = [...new Set(series.flatMap(createdNameOf))];

  for (let at = 0; at < targets.length; at += TARGETS_A_QUESTION) {
    const where = matchersOf(targets.slice(at, at + TARGETS_A_QUESTION), target);
    const ups = await asking.ask(`up{${where}}${range}`, window);
    if (ups === 'too large') return held('there are too many scrapes of new targets');
    if (ups.kind === 'held') return ups;
    if (ups.kind === 'samples') {
      for (const { metric, values } of ups.series) {
        scrapes.set(
          targetOf(metric),
          values
            .filter(([, value]) => value === '1')
            .map(([seconds]) => toMs(seconds))
            .sort((a, b) => a - b),
        );
      }
    }
    const created_ = `last_over_time({__name__=~${quoted(names.map(literally).join('|'))},${where}}${range})`;
    const process = `last_over_time(process_start_time_seconds{${where}}${range})`;
    for (const [promql, into, keyOf] of [
      ...(names.length > 0 ? [[created_, created, canonical] as const] : []),
      ...(newTargets === 'count' ? [[process, processes, targetOf] as const] : []),
    ]) {
      const problem = await askInstants(promql, window, asking, (metric, atMs) => into.set(keyOf(metric), atMs));
      if (problem !== undefined) return problem;
    }
  }
  return {
    kind: 'births',
    scrapesOf: (labels) => scrapes.get(targetOf(labels)) ?? [],
    createdOf: (labels) => createdNameOf(labels).map((name) => created.get(canonical(renamed(labels, name))))[0],
    processOf: (labels) => processes.get(targetOf(labels)),
  };
}

async function askInstants(
  promql: string,
  window: Window,
  asking: Asking,
  found: (metric: Labels, atMs: number) => void,
): Promise<Held | undefined> {
  const answer = await asking.ask(promql, window);
  if (answer === 'too large') return held('there are too many new series');
  if (answer.kind === 'held') return answer;
  if (answer.kind !== 'values') return undefined;
  for (const one of answer.series) if ('value' in one) found(one.metric, toMs(Number(one.value[1])));
  return undefined;
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

export function picked(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

/** `requests_total` has its birth in `requests_created` (OpenMetrics). */
function createdNameOf(labels: Labels): readonly string[] {
  const name = labels['__name__'];
  return name === undefined ? [] : [`${name.replace(/_total$/, '')}${CREATED}`];
}

function renamed(labels: Labels, name: string): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, key === '__name__' ? name : value]));
}

/** All of the targets, and such as have their labels mixed: answers name what they are about. */
function matchersOf(targets: readonly Labels[], names: readonly string[]): string {
  return names
    .map((name) => {
      const values = new Set(targets.map((labels) => (Object.hasOwn(labels, name) ? (labels[name] ?? '') : '')));
      return `${name}=~${quoted([...values].map(literally).join('|'))}`;
    })
    .join(',');
}
