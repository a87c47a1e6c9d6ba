import { invalidParameter } from '../errors.ts';
import { isMatchable, MATCHABLE } from './schemas.ts';

/** The parameters of a query string by name; brackets kept as written ("filter[key][eq]"). */
export type QueryParams = ReadonlyMap<string, string>;

/** Query strings with more parameters are refused: the widest list has a few dozen. */
const MAX_PARAMETERS = 200;

/**
 * Reads a query string. A parameter that is given twice is refused: which one counts would be a guess.
 * @throws RequestProblem 400
 */
export function readQueryParams(url: string): QueryParams {
  const start = url.indexOf('?');
  const params = new Map<string, string>();
  if (start < 0) return params;
  for (const [name, value] of new URLSearchParams(url.slice(start + 1).split('#', 1)[0])) {
    if (params.has(name)) {
      throw invalidParameter({ field: name, rule: 'invalid', reason: 'must be given only once', source: 'query' });
    }
    if (!isMatchable(name) || !isMatchable(value)) {
      throw invalidParameter({ field: name, rule: 'invalid', reason: MATCHABLE.error, source: 'query' });
    }
    params.set(name, value);
    if (params.size > MAX_PARAMETERS) {
      throw invalidParameter({
        field: 'query',
        rule: 'max_items',
        maximum: MAX_PARAMETERS,
        reason: `must have at most ${MAX_PARAMETERS} parameters`,
        source: 'query',
      });
    }
  }
  return params;
}

/** Splits "filter[labels][env][eq]" into its name and its keys; undefined when the brackets do not match. */
export function splitBrackets(name: string): { name: string; keys: string[] } | undefined {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) return undefined;
  const keys = [...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((bracket) => bracket[1] ?? '');
  return { name: match[1] ?? '', keys };
}
