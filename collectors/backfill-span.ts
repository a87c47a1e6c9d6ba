import type { CollectorConfig } from './config/read-config.ts';
import type { Span } from './core/source.ts';
import type { SourceSurroundings } from './core/source-kind.ts';

const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z)?$/;

/** `FROM..TO`, each an instant or a day in UTC. */
export function readSpan(text: string): Span | 'wrong' {
  const ends = text.split('..');
  const [fromMs = Number.NaN, toMs = Number.NaN] = ends.map((end) =>
    INSTANT.test(end) ? Date.parse(end) : Number.NaN,
  );
  return ends.length === 2 && fromMs < toMs ? { fromMs, toMs } : 'wrong';
}

/** What keeps these collectors from reading the past; undefined = nothing does. */
export function withoutPast(
  collectors: readonly CollectorConfig[],
  surroundings: SourceSurroundings,
): string | undefined {
  const names = collectors
    .filter(({ kind, settings }) => kind.create(settings, surroundings).backfill === undefined)
    .map(({ name }) => name);
  return names.length === 0 ? undefined : `${names.join(', ')}: the source cannot be asked for the past`;
}
