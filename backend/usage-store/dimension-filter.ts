import type { DimensionFilter } from './types.ts';

/** Whether a dimension's string passes. Every member given must hold; `exists` always does, since a value is never null. */
export function passesFilter(value: string, filter: DimensionFilter): boolean {
  return (
    (filter.exists === undefined || filter.exists) &&
    (filter.eq === undefined || value === filter.eq) &&
    (filter.neq === undefined || value !== filter.neq) &&
    (filter.in === undefined || filter.in.includes(value)) &&
    (filter.nin === undefined || !filter.nin.includes(value)) &&
    (filter.contains === undefined || value.includes(filter.contains)) &&
    (filter.ncontains === undefined || !value.includes(filter.ncontains)) &&
    (filter.and === undefined || filter.and.every((part) => passesFilter(value, part))) &&
    (filter.or === undefined || filter.or.some((part) => passesFilter(value, part)))
  );
}
