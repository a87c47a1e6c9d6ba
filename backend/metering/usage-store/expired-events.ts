import { formatInstant } from '../../platform/instant.ts';
import { type RefusedQuery, refusedQuery } from './answering/query-limits.ts';

/** A figure from what is left would be too small, and nobody would see it. */
export function expiredEvents(fromMs: number): RefusedQuery {
  const message =
    `Events before ${formatInstant(fromMs)} are no longer kept one by one. Before that, begin and end at whole quarters ` +
    'of an hour, ask for windows of an hour or more, and for dimensions with few values.';
  return refusedQuery(message);
}
