import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import type { QueryPart } from './query.ts';
import { documented } from './query-parts.ts';

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

/** `sort=field`, `sort=field asc`, `sort=field desc`. What is refused lists the fields. */
export function sortBy<Field extends string>(rules: SortRules<Field>): QueryPart<Sort<Field>> {
  const fields = rules.fields.join(', ');
  const fallback = `${rules.default} ${rules.defaultDirection}`;
  const description = `One of ${fields}, optionally followed by " asc" or " desc"; default ${fallback}.`;
  return {
    parameters: { sort: documented(z.string(), description) },
    read: (params) => readSort(params.get('sort') ?? '', rules),
  };
}

function readSort<Field extends string>(text: string, rules: SortRules<Field>): Sort<Field> {
  if (text === '') return { field: rules.default, direction: rules.defaultDirection };
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
