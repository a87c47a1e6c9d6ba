import type { FilterCondition } from './filtering.ts';

/** Whether a text passes a filter condition, as the databases judge it: for lists that no database holds. */
export function passesCondition(text: string, { operator, values }: FilterCondition): boolean {
  const [value = ''] = values;
  const has = (part: string) => text.toLowerCase().includes(part.toLowerCase());
  switch (operator) {
    case 'eq':
      return text === value;
    case 'neq':
      return text !== value;
    case 'gt':
      return text > value;
    case 'gte':
      return text >= value;
    case 'lt':
      return text < value;
    case 'lte':
      return text <= value;
    case 'oeq':
      return values.includes(text);
    case 'contains':
      return has(value);
    case 'ocontains':
      return values.some(has);
    case 'exists':
      return value === 'true';
  }
}
