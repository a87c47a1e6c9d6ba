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
