import { fieldOf, objectOf, textOf } from '../metering-and-billing/json-values.ts';
import { CONSUMER_FIELDS, CUSTOMER_SOURCES } from './schema.ts';

/** What this plugin calls of Kong's plugin development kit. */
export interface Kong {
  readonly client: { getConsumer(): Promise<unknown> };
  readonly ctx: { readonly shared: { get(key: string): Promise<unknown> } };
  readonly request: {
    getHeader(name: string): Promise<unknown>;
    getQueryArg(name: string): Promise<unknown>;
    getRawBody(): Promise<unknown>;
  };
  readonly response: {
    exit(status: number, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<unknown>;
    setHeaders(headers: Readonly<Record<string, string>>): Promise<unknown>;
  };
}

/** Where the key of the customer is found. */
export interface CustomerLookup {
  readonly source: (typeof CUSTOMER_SOURCES)[number];
  readonly field: string;
}

/** Longer than any key or subject key: nobody is found by it, and it is not remembered either. */
const MAX_KEY_LENGTH = 512;

/** Reads the `customer` record. The Consumer's `username` is the default, as it is the metering plugin's. */
export function readCustomerLookup(value: unknown, problems: string[]): CustomerLookup | undefined {
  const record = objectOf(value);
  const source = CUSTOMER_SOURCES.find((name) => name === (record?.['look_up_value_in'] ?? 'consumer'));
  if (source === undefined) {
    problems.push(`customer.look_up_value_in must be one of ${CUSTOMER_SOURCES.join(', ')}`);
    return undefined;
  }
  const field = textOf(record?.['field']);
  if (source === 'consumer' && !CONSUMER_FIELDS.some((name) => name === (field ?? 'username'))) {
    problems.push(`customer.field must be one of ${CONSUMER_FIELDS.join(', ')} when the customer is the consumer`);
  }
  if ((source === 'header' || source === 'query') && field === undefined) {
    problems.push(`customer.field is required when the customer is named in a ${source}`);
  }
  return { source, field: field ?? (source === 'consumer' ? 'username' : 'id') };
}

/** The key of the customer: exactly one call to Kong. `undefined` when the request names nobody. */
export async function findCustomerKey({ source, field }: CustomerLookup, kong: Kong): Promise<string | undefined> {
  switch (source) {
    case 'consumer':
      return keyOf(fieldOf(objectOf(await kong.client.getConsumer()), field));
    case 'application':
      // Put there by whichever plugin knows applications.
      return keyOf(fieldOf(objectOf(await kong.ctx.shared.get('application')), field));
    case 'header':
      return keyOf(await kong.request.getHeader(field));
    case 'query':
      return keyOf(await kong.request.getQueryArg(field));
  }
}

function keyOf(value: unknown): string | undefined {
  const key = Number.isSafeInteger(value) ? String(value) : textOf(value);
  return key === undefined || key.trim() === '' || key.length > MAX_KEY_LENGTH ? undefined : key;
}
