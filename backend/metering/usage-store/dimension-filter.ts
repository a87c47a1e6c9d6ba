import { cutDimensionValue } from './meter-value.ts';
import type { DimensionFilter } from './types.ts';

/** What a filter is held against is cut, so what it asks for is too: the whole text finds what it was cut to. */
const isSame = (value: string, wanted: string): boolean => value === cutDimensionValue(wanted);

/** Whether a dimension's string passes. Every member given must hold; `exists` always does, since a value is never null. */
export function passesFilter(value: string, filter: DimensionFilter): boolean {
  return (
    (filter.exists === undefined || filter.exists) &&
    (filter.eq === undefined || isSame(value, filter.eq)) &&
    (filter.neq === undefined || !isSame(value, filter.neq)) &&
    (filter.in === undefined || filter.in.some((wanted) => isSame(value, wanted))) &&
    (filter.nin === undefined || !filter.nin.some((wanted) => isSame(value, wanted))) &&
    (filter.contains === undefined || value.includes(filter.contains)) &&
    (filter.ncontains === undefined || !value.includes(filter.ncontains)) &&
    (filter.and === undefined || filter.and.every((part) => passesFilter(value, part))) &&
    (filter.or === undefined || filter.or.some((part) => passesFilter(value, part)))
  );
}
