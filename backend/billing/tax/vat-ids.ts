/** VAT ids by their form and check digits. Whether one is in force only its state's register knows. */
import { checkVAT, countries } from 'jsvat-next';

/** States of the European Union: what is sold between businesses of two of them is taxed where the buyer is. */
const EU = new Set('AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '));

export function isInEu(country: string | undefined): boolean {
  return country !== undefined && EU.has(country);
}

/** @returns the state that gave it, as in ISO 3166; undefined when it cannot be one @param value with its prefix, "DE136695976" */
export function countryOfVatId(value: string): string | undefined {
  const { isValid, country } = checkVAT(value, countries);
  return isValid ? country?.isoCode.short : undefined;
}

/** As it is written: without blanks and dots, in capitals. */
export function plainVatId(value: string): string {
  return value.toUpperCase().replaceAll(/[\s.-]/g, '');
}
