import { invalidParameter } from '../errors.ts';
import type { QueryParams } from './query-params.ts';

export type Direction = 'asc' | 'desc';

/** What a list can be sorted by. */
export interface SortRules<Field extends string> {
  fields: readonly [Field, ...Field[]];
  default: Field;
  /** Direction where the parameter names none. */
  defaultDirection: Direction;
}

export interface Sort<Field extends string> {
  field: Field;
  direction: Direction;
}

/** `sort=field`, `sort=field asc`, `sort=field desc`. @throws RequestProblem 400 that lists the fields */
export function readSort<Field extends string>(params: QueryParams, rules: SortRules<Field>): Sort<Field> {
  const text = params.get('sort');
  if (text === undefined || text === '') return { field: rules.default, direction: rules.defaultDirection };
  const [name, direction, ...rest] = text.trim().split(/\s+/);
  const field = rules.fields.find((candidate) => candidate === name);
  const wellFormed = rest.length === 0 && (direction === undefined || direction === 'asc' || direction === 'desc');
  if (field === undefined || !wellFormed) {
    throw invalidParameter({
      field: 'sort',
      rule: 'enum',
      reason: `must be one of ${rules.fields.join(', ')}, optionally followed by "asc" or "desc"`,
      choices: rules.fields,
      source: 'query',
    });
  }
  return { field, direction: direction ?? rules.defaultDirection } as Sort<Field>;
}
