import type { Customer } from '../../customers/customers/index.ts';

export type Address = NonNullable<Customer['billing_address']>;

/** An address from the street to the country, which is named in a language. */
export function addressLines(address: Address | undefined, language: string): string[] {
  if (address === undefined) return [];
  const { line1, line2, postal_code, city, state, country } = address;
  const town = [postal_code, city].filter((part) => part !== undefined).join(' ');
  const countries = new Intl.DisplayNames(language, { type: 'region', fallback: 'code' });
  const named = country === undefined ? undefined : countries.of(country);
  return [line1, line2, town, state, named].filter((line) => line !== undefined && line !== '') as string[];
}
