import type { z } from 'zod';
import type { Clock } from '../../delivery/clock.ts';
import type { Log } from '../../delivery/log.ts';
import type { Source } from './source.ts';

/** What a source is made with, beside its settings. */
export interface SourceSurroundings {
  readonly clock: Clock;
  readonly log: Log;
}

/** A kind of source: what stands below its key under `input`, and how to make one of it. */
export interface SourceKind<Settings = unknown> {
  /** What the backend's ledger calls it; undefined = as its key under `input`. */
  readonly name?: string;
  /** Checks and completes what stands in the configuration; unknown keys are to be refused. */
  readonly schema: z.ZodType<Settings>;
  /** Opens nothing yet: that is for `run`, which may fail and try again. */
  create(settings: Settings, surroundings: SourceSurroundings): Source;
}

/** What a configuration may name under `input`. */
export type SourceKinds = Readonly<Record<string, SourceKind>>;

/** A kind whose settings are its own business, for the record of kinds. */
export function sourceKind<Settings>(kind: SourceKind<Settings>): SourceKind {
  return { ...kind, create: (settings, surroundings) => kind.create(settings as Settings, surroundings) };
}
