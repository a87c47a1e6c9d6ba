import type { Customer } from '../../customers/customers/index.ts';

export type Address = NonNullable<Customer['billing_address']>;

/** An address from the street to the country. */
export function addressLines(address: Address | undefined): string[] {
  if (address === undefined) return [];
  const { line1, line2, postal_code, city, state, country } = address;
  const town = [postal_code, city].filter((part) => part !== undefined).join(' ');
  return [line1, line2, town, state, country].filter((line) => line !== undefined && line !== '') as string[];
}
