/** Billing cadences that the forms offer; the API takes any ISO 8601 duration that fits. */
export const CADENCES = [
  { label: '1 day', value: 'P1D' },
  { label: '1 week', value: 'P1W' },
  { label: '1 month', value: 'P1M' },
  { label: '3 months', value: 'P3M' },
  { label: '6 months', value: 'P6M' },
  { label: '1 year', value: 'P1Y' },
];

export const COMMON_CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY', 'CHF', 'CAD', 'AUD', 'INR', 'BRL', 'SEK'];
