import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../errors.ts';
import { ULID_PATTERN } from '../ids.ts';
import { parseInstant } from '../instant.ts';
import type { QueryPart } from './query.ts';
import { splitBrackets } from './query-params.ts';
import { documented } from './query-parts.ts';

/** The kinds of filter fields in the contract; each allows its own operators. */
export type FilterKind = NamedKind | OneOf;

type NamedKind = 'string' | 'string-exact' | 'ulid' | 'datetime' | 'boolean' | 'labels' | 'plain';

/** As `string-exact`, for fields that have one of a few values: another one is refused, where it would find nothing. */
export interface OneOf {
  readonly oneOf: readonly string[];
}

export type FilterOperator = 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte' | 'contains' | 'oeq' | 'ocontains' | 'exists';

/** One condition; all conditions of a request hold together. */
export interface FilterCondition<Field extends string = string> {
  field: Field;
  /** The label's key, for fields of kind labels. */
  labelKey?: string;
  operator: FilterOperator;
  /** As given; for `oeq` and `ocontains` the list's items. */
  values: readonly string[];
}

const OPERATORS: Record<NamedKind, readonly string[]> = {
  string: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'contains', 'oeq', 'ocontains', 'exists', 'nexists'],
  labels: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'contains', 'oeq', 'ocontains', 'exists', 'nexists'],
  'string-exact': ['eq', 'neq', 'oeq'],
  ulid: ['eq', 'neq', 'oeq'],
  datetime: ['eq', 'gt', 'gte', 'lt', 'lte'],
  boolean: ['eq'],
  // One value without operators; `eq` is what it means, so it may be given in one of the two spellings.
  plain: ['eq'],
};
const MAX_LIST_ITEMS = 50;
const MAX_VALUE_BYTES = 1024;

/** A list's filter fields and their kinds. */
export type FilterFields<Field extends string> = Readonly<Record<Field, FilterKind>>;

/** `filter[field]=v`, `filter[field][op]=v` and, for labels, `filter[labels.key]` or `filter[labels][key]`. */
export function filterBy<Field extends string>(fields: FilterFields<Field>): QueryPart<FilterCondition<Field>[]> {
  const kinds = Object.entries<FilterKind>(fields);
  return {
    parameters: Object.fromEntries(kinds.map(([field, kind]) => documentation(field, kind))),
    read: (params) => {
      const conditions: FilterCondition<Field>[] = [];
      for (const [name, value] of params) {
        if (name !== 'filter' && !name.startsWith('filter[')) continue;
        const condition = readCondition(name, value, fields);
        const isTold = conditions.some(({ field }) => field === condition.field);
        if (isTold && fields[condition.field] === 'plain') throw refuse(name, 'must be given only once');
        conditions.push(condition);
      }
      return conditions;
    },
  };
}

function documentation(field: string, kind: FilterKind): [name: string, schema: z.ZodType] {
  const equal = typeof kind === 'string' ? 'Equal to the value' : `Equal to the value, one of ${kind.oneOf.join(', ')}`;
  const others = `other operators as filter[${field}][OPERATOR] (${nameOfKind(kind)})`;
  const name = kind === 'labels' ? `filter[${field}.KEY]` : `filter[${field}]`;
  return [name, documented(z.string(), `${equal}; ${others}.`)];
}

/** The operators that a kind allows, and its name. */
function nameOfKind(kind: FilterKind): NamedKind {
  return typeof kind === 'string' ? kind : 'string-exact';
}

function readCondition<Field extends string>(
  name: string,
  value: string,
  fields: Readonly<Record<Field, FilterKind>>,
): FilterCondition<Field> {
  const path = labelPath(splitBrackets(name)?.keys ?? []);
  const [fieldName, ...rest] = path;
  const field = Object.keys(fields).find((own): own is Field => own === fieldName);
  if (field === undefined) throw refuse(name, `unknown filter field; known are ${Object.keys(fields).join(', ')}`);
  const kind = fields[field];
  const labelKey = kind === 'labels' ? rest.shift() : undefined;
  if (kind === 'labels' && (labelKey === undefined || labelKey === '')) throw refuse(name, 'must name a label key');
  const known = OPERATORS[nameOfKind(kind)];
  const operator = rest.shift() ?? (value === '' && known.includes('exists') ? 'exists' : 'eq');
  if (rest.length > 0 || !known.includes(operator)) {
    throw refuse(name, `unknown operator; known are ${known.join(', ')}`);
  }
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) throw refuse(name, `must have at most ${MAX_VALUE_BYTES} bytes`);
  return { field, ...(labelKey !== undefined && { labelKey }), ...readValue(name, operator, value, kind) };
}

/** filter[labels.env][eq] means the same as filter[labels][env][eq]. */
function labelPath(keys: readonly string[]): string[] {
  const [first, ...rest] = keys;
  const dot = first?.indexOf('.') ?? -1;
  if (first === undefined || dot < 0) return [...keys];
  return [first.slice(0, dot), first.slice(dot + 1), ...rest];
}

function readValue(
  name: string,
  operator: string,
  value: string,
  kind: FilterKind,
): Pick<FilterCondition, 'operator' | 'values'> {
  if (operator === 'exists' || operator === 'nexists') {
    if (!['', 'true', 'false'].includes(value)) throw refuse(name, 'must be true or false');
    const wanted = (value !== 'false') === (operator === 'exists');
    return { operator: 'exists', values: [String(wanted)] };
  }
  const isList = operator === 'oeq' || operator === 'ocontains';
  const values = isList ? value.split(',').map((item) => item.trim()) : [value];
  if (values.length > MAX_LIST_ITEMS) throw refuse(name, `must have at most ${MAX_LIST_ITEMS} items`);
  // An empty part is contained in everything: "a,,b" would silently filter nothing.
  if (operator === 'ocontains' && values.includes('')) throw refuse(name, 'must not have empty items');
  for (const item of values) checkItem(name, item, kind);
  return { operator: operator as FilterOperator, values };
}

function checkItem(name: string, item: string, kind: FilterKind): void {
  if (typeof kind !== 'string' && !kind.oneOf.includes(item)) {
    throw refuse(name, `must be one of ${kind.oneOf.join(', ')}`);
  }
  if (kind === 'ulid' && !ULID_PATTERN.test(item)) throw refuse(name, 'must be a ULID');
  if (kind === 'datetime' && parseInstant(item) === undefined) throw refuse(name, 'must be an RFC 3339 date-time');
  if (kind === 'boolean' && item !== 'true' && item !== 'false') throw refuse(name, 'must be true or false');
}

function refuse(field: string, reason: string) {
  return invalidParameter({ field, rule: 'invalid', reason, source: 'query' });
}
