import type { CreateCustomer, Customer, PutCustomer } from '../../api/customers.ts';

/** What the forms of a customer hold. */
export interface CustomerForm {
  name: string;
  key: string;
  subjects: string[];
  email: string;
  currency: string;
  description: string;
  address: Record<'country' | 'postal_code' | 'state' | 'city' | 'line1' | 'line2' | 'phone_number', string>;
}

export const ADDRESS_FIELDS = [
  { key: 'country', label: 'Country (two letters)' },
  { key: 'postal_code', label: 'Postal code' },
  { key: 'state', label: 'State' },
  { key: 'city', label: 'City' },
  { key: 'line1', label: 'Address line 1' },
  { key: 'line2', label: 'Address line 2' },
  { key: 'phone_number', label: 'Phone' },
] as const;

export function customerForm(customer?: Customer): CustomerForm {
  const address = customer?.billing_address;
  return {
    name: customer?.name ?? '',
    key: customer?.key ?? '',
    subjects: customer?.usage_attribution?.subject_keys ?? [],
    email: customer?.primary_email ?? '',
    currency: customer?.currency ?? '',
    description: customer?.description ?? '',
    address: {
      country: address?.country ?? '',
      postal_code: address?.postal_code ?? '',
      state: address?.state ?? '',
      city: address?.city ?? '',
      line1: address?.line1 ?? '',
      line2: address?.line2 ?? '',
      phone_number: address?.phone_number ?? '',
    },
  };
}

/** What is sent to replace a customer: fields that are empty are left out, and with that cleared. */
export function putCustomerOf(form: CustomerForm, labels?: Customer['labels']): PutCustomer {
  const address = Object.entries(form.address).filter(([, text]) => text.trim() !== '');
  return {
    name: form.name.trim(),
    ...(form.description.trim() !== '' && { description: form.description.trim() }),
    ...(labels !== undefined && { labels }),
    ...(form.subjects.length > 0 && { usage_attribution: { subject_keys: [...form.subjects] } }),
    ...(form.email.trim() !== '' && { primary_email: form.email.trim() }),
    ...(form.currency.trim() !== '' && { currency: form.currency.trim().toUpperCase() }),
    ...(address.length > 0 && {
      billing_address: Object.fromEntries(address.map(([key, text]) => [key, text.trim()])),
    }),
  };
}

export function createCustomerOf(form: CustomerForm): CreateCustomer {
  return { ...putCustomerOf(form), key: form.key.trim() };
}
