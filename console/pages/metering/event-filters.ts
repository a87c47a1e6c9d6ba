import type { CreateCorrection } from '../../api/corrections.ts';

const TEXT = [
  { name: 'eq', label: 'equals' },
  { name: 'neq', label: 'does not equal' },
  { name: 'contains', label: 'contains' },
  { name: 'oeq', label: 'is one of' },
];
const TIME = [
  { name: 'gte', label: 'from' },
  { name: 'lt', label: 'before' },
];

/** What the API filters events by, and how. */
export const FILTER_OPERATORS = {
  id: TEXT,
  source: TEXT,
  subject: TEXT,
  type: TEXT,
  customer_id: TEXT.filter(({ name }) => name === 'eq' || name === 'oeq'),
  time: TIME,
  ingested_at: TIME,
  stored_at: TIME,
} satisfies Record<string, readonly { name: string; label: string }[]>;
export type FilterField = keyof typeof FILTER_OPERATORS;

/** Short name in the page's address → parameter of the API. */
export const EVENT_FILTERS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FILTER_OPERATORS).flatMap(([field, operators]) =>
    operators.map(({ name }) => [`${field}.${name}`, `filter[${field}][${name}]`]),
  ),
);

/** A filter in words: "subject equals “alice”". @param name its short name */
export function filterText(name: string, text: string): string {
  const [field = '', operator = ''] = name.split('.');
  const known = [...TEXT, ...TIME].find((entry) => entry.name === operator);
  return `${field.replaceAll('_', ' ')} ${known?.label ?? operator} “${text}”`;
}

/**
 * The filter of a correction for what a list is filtered by.
 * @param filters those that are set, by their short names: { 'subject.eq': 'alice' }
 * @returns unfit: names of filters that corrections do not know, since what they find could be more than one thinks
 */
export function correctionFilter(filters: Readonly<Record<string, string>>): {
  filter: CreateCorrection['filter'];
  unfit: string[];
} {
  const filter: Record<string, Record<string, string | string[]>> = {};
  const unfit: string[] = [];
  for (const [name, text] of Object.entries(filters)) {
    const [field = '', operator = ''] = name.split('.');
    if (operator === 'neq' || operator === 'contains') unfit.push(`${field.replaceAll('_', ' ')} ${operator}`);
    else if (operator === 'oeq') filter[field] = { in: text.split(',').map((part) => part.trim()) };
    else filter[field] = { ...filter[field], [operator]: text };
  }
  return { filter: filter as CreateCorrection['filter'], unfit };
}
