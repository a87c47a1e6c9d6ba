import type { RareLog } from '../../delivery/rare-log.ts';
import type { Cursor, SourceReport } from '../core/source.ts';
import type { SeriesStates } from './series-states.ts';
import type { CounterSettings } from './settings.ts';

/** Where a counter is collected. */
export interface CounterSurroundings {
  readonly queryOffsetMs: number;
  readonly collector: string;
  readonly cursor: Cursor;
  readonly rareLog: RareLog;
  report(report: SourceReport): void;
}

/** What a counter works with. */
export interface CounterParts {
  readonly counter: CounterSettings;
  readonly surroundings: CounterSurroundings;
  readonly states: SeriesStates;
}
