import { shallowRef } from 'vue';

/** ISO 4217 minor digits where they are not 2; as the server has them: Intl's are those that people write. */
const OTHER_DIGITS: readonly (readonly [digits: number, codes: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
];
const fiat = new Map(
  OTHER_DIGITS.flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, digits] as const)),
);

const custom = shallowRef<ReadonlyMap<string, number>>(new Map());

/** The digits of the organization's own currencies, by code: what is on the screen follows them. */
export function setCustomDigits(digits: ReadonlyMap<string, number>): void {
  custom.value = digits;
}

/** Digits after the decimal point of a currency. Of one that is not known yet: none, so that only what is there is shown. */
export function digitsOf(code: string): number {
  return custom.value.get(code) ?? (isIsoCode(code) ? (fiat.get(code) ?? 2) : 0);
}

/** Of three letters, as locales know how to write them; custom ones have longer codes. */
export function isIsoCode(code: string): boolean {
  return /^[A-Z]{3}$/.test(code);
}
