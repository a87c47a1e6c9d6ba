import type { DimensionFilter } from '../usage-store/index.ts';
import type { Meter } from './schema.ts';

/** The gateway's events of LLM calls, whose provider Kong writes in lower case. */
const LLM_REQUEST = 'kong.llm_request';
const PROVIDER_PATH = '$.provider';

/**
 * A filter as it is applied to a meter's dimension. Providers of the gateway's events compare without case, since people
 * write "OpenAI" (Konnect's own tutorial does) where Kong writes `openai`: a filter that is told in another way would bill
 * nothing, without a word. What was written counts as well. All other values compare as they are.
 * @param path of the dimension; undefined for one that the meter does not have
 */
export function appliedFilter(
  meter: Pick<Meter, 'event_type'>,
  path: string | undefined,
  filter: DimensionFilter,
): DimensionFilter {
  return meter.event_type === LLM_REQUEST && path === PROVIDER_PATH ? alsoInLowerCase(filter) : filter;
}

function alsoInLowerCase(filter: DimensionFilter): DimensionFilter {
  const { eq, neq, in: any, nin, contains, ncontains, and, or, ...rest } = filter;
  const all: DimensionFilter[] = [];
  if (eq !== undefined) all.push({ in: bothWays([eq]) });
  if (any !== undefined) all.push({ in: bothWays(any) });
  if (neq !== undefined) all.push({ nin: bothWays([neq]) });
  if (nin !== undefined) all.push({ nin: bothWays(nin) });
  if (contains !== undefined) all.push({ or: bothWays([contains]).map((text) => ({ contains: text })) });
  if (ncontains !== undefined) all.push({ and: bothWays([ncontains]).map((text) => ({ ncontains: text })) });
  if (and !== undefined) all.push({ and: and.map(alsoInLowerCase) });
  if (or !== undefined) all.push({ or: or.map(alsoInLowerCase) });
  if (all.length === 0) return filter;
  if (Object.values(rest).some((value) => value !== undefined)) all.push(rest);
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : { and: all };
}

function bothWays(values: readonly string[]): string[] {
  return [...new Set(values.flatMap((value) => [value, value.toLowerCase()]))];
}
