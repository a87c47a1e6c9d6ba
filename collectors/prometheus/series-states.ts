import { idOf } from '../core/ids.ts';
import type { Cursor, CursorChange } from '../core/source.ts';
import type { Labels } from './answer.ts';
import { keyOf } from './metric.ts';
import type { Sample } from './rises.ts';
import { canonical } from './series-records.ts';

/** Where the last sample of each series of a counter is kept: by its target, so that neighbours can be found. */
export interface SeriesStates {
  /** The key of a series with these labels. */
  keyOf(labels: Labels): SeriesKey;
  get(key: SeriesKey): Sample | undefined;
  changeTo(key: SeriesKey, sample: Sample): CursorChange;
  /** All series of a target that are known; at most so many. */
  ofTarget(target: string): readonly { readonly key: string; readonly sample: Sample }[];
  /** Series that have not been seen since; a page of them at each call. */
  forgettable(beforeMs: number): readonly CursorChange[];
}

export interface SeriesKey {
  readonly target: string;
  readonly key: string;
}

const PAGE = 1000;
/** Beyond it what is asked of neighbours is not asked of all. */
const MAX_NEIGHBOURS = 10_000;

export function createSeriesStates(cursor: Cursor, name: string, targetLabels: readonly string[]): SeriesStates {
  const prefix = `${keyOf('series', name)}/`;
  let looked = '';
  return {
    keyOf(labels) {
      const target = idOf(targetLabels.map((label) => (Object.hasOwn(labels, label) ? (labels[label] ?? '') : '')));
      return { target, key: `${prefix}${target}/${idOf([canonical(labels)])}` };
    },
    get({ key }) {
      const text = cursor.get(key);
      return text === undefined ? undefined : sampleOf(text);
    },
    changeTo: ({ key }, { atMs, value }) => ({ key, value: JSON.stringify([atMs, value]) }),
    ofTarget(target) {
      const entries = cursor.list(`${prefix}${target}/`, '', MAX_NEIGHBOURS);
      return entries.map(({ key, value }) => ({ key, sample: sampleOf(value) }));
    },
    forgettable(beforeMs) {
      const entries = cursor.list(prefix, looked, PAGE);
      looked = entries.length < PAGE ? '' : (entries.at(-1)?.key ?? '');
      return entries
        .filter(({ value }) => sampleOf(value).atMs < beforeMs)
        .map(({ key }) => ({ key, value: undefined }));
    },
  };
}

function sampleOf(text: string): Sample {
  const [atMs, value] = JSON.parse(text) as [number, string];
  return { atMs, value };
}
