import type { DimensionFilter } from '../../api/features.ts';

/** Operators of the filters that the form offers, in words. */
export const OPERATORS = [
  { label: 'Equals', value: 'eq' },
  { label: 'Not equals', value: 'neq' },
  { label: 'In', value: 'in' },
  { label: 'Not in', value: 'nin' },
  { label: 'Contains', value: 'contains' },
  { label: 'Not contains', value: 'ncontains' },
  { label: 'Exists', value: 'exists' },
] as const;
export type Operator = (typeof OPERATORS)[number]['value'];

/** What the form holds of one filter. */
export interface FilterChoice {
  dimension: string;
  operator: Operator;
  /** Values of "in" and "nin" are separated by commas. */
  value: string;
}

/** The API's form of the filters of a form. */
export function filtersOf(choices: readonly FilterChoice[]): Record<string, DimensionFilter> {
  return Object.fromEntries(choices.map(({ dimension, operator, value }) => [dimension, filterOf(operator, value)]));
}

function filterOf(operator: Operator, value: string): DimensionFilter {
  if (operator === 'exists') return { exists: value !== 'false' };
  if (operator === 'in' || operator === 'nin') {
    return {
      [operator]: value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    };
  }
  return { [operator]: value };
}

/** Filters in words: "provider equals openai". Nested ones show as they are. */
export function filterText(filters: Readonly<Record<string, DimensionFilter>> | undefined): string {
  return Object.entries(filters ?? {})
    .map(([dimension, filter]) => `${dimension} ${conditionText(filter)}`)
    .join('; ');
}

function conditionText(filter: DimensionFilter): string {
  const entries = Object.entries(filter);
  const [operator, value] = entries[0] ?? ['', ''];
  const known = OPERATORS.find((candidate) => candidate.value === operator);
  if (entries.length !== 1 || known === undefined) return JSON.stringify(filter);
  if (operator === 'exists') return value ? 'exists' : 'does not exist';
  return `${known.label.toLowerCase()} ${Array.isArray(value) ? value.join(', ') : String(value)}`;
}
