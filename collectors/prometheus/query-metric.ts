import { setImmediate } from 'node:timers/promises';
import type { SourceRecord } from '../core/source.ts';
import type { OddSeries, Valued } from './answer.ts';
import { held } from './held.ts';
import { mapped } from './mapped.ts';
import type { Metric } from './metric.ts';
import { hasRange, withInterval, writtenRangesMs } from './promql.ts';
import { metaOf, partsOf, SERIES_A_TURN, timesOf } from './series-records.ts';
import type { QuerySettings, Settings } from './settings.ts';
import type { Window } from './windows.ts';

/** A query as the documented collector has it: one message for each series that it answers at the end of a window. */
export function createQueryMetric(query: QuerySettings, settings: Pick<Settings, 'queryOffsetMs'>): Metric {
  const { name, promql, range } = query;
  const isRanged = hasRange(promql);
  return {
    name,
    query: promql,
    isCarried: false,
    takesParts: range === 'any' || writtenRangesMs(promql).length === 0,
    async read(window, _progress, asking) {
      const asked = withInterval(promql, window.toMs - window.fromMs);
      const answer = await asking.ask(asked, window);
      if (answer === 'too large')
        return held('the answer is larger than 16 MB, or the query reads too much: narrow it');
      if (answer.kind === 'held') return answer;
      if (answer.kind === 'samples')
        return held('the query answers raw samples: use a counter, or a function such as increase');
      let count = 0;
      // All of it, before anything is taken: what is broken at its end is broken as a whole.
      for (const _one of answer.series) if (++count % SERIES_A_TURN === 0) await setImmediate();
      const toRecord = (one: Valued | OddSeries) => recordOf(one, { name, asked, isRanged, window, ...settings });
      return { kind: 'read', isEmpty: count === 0, cursor: [], records: mapped(answer.series, toRecord) };
    },
  };
}

interface Surroundings {
  readonly name: string;
  readonly asked: string;
  readonly isRanged: boolean;
  readonly window: Window;
  readonly queryOffsetMs: number;
}

function recordOf(one: Valued | OddSeries, surroundings: Surroundings): SourceRecord {
  const { name, asked, isRanged, window, queryOffsetMs } = surroundings;
  const { from, timestamp } = timesOf(window);
  const standing = {
    meta: metaOf(name, window, queryOffsetMs),
    at: isRanged ? from : timestamp,
    parts: partsOf(name, one.metric, window),
  };
  const message = { name, query: asked, timestamp, from };
  if ('odd' in one)
    return { ...standing, message: { ...message, metric: one.metric }, problem: `the series ${one.odd}` };
  return { ...standing, message: { ...message, values: [{ metric: one.metric, value: one.value }] } };
}
