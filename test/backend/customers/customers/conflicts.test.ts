import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

let t: CustomersUnderTest;
beforeEach(() => {
  t = startCustomers();
});
afterEach(() => t.close());

const post = (key: string, subjectKeys: readonly string[] = []) =>
  t.call('POST', '/customers', { key, name: key, usage_attribution: { subject_keys: subjectKeys } });

/** A 409 with one error that names the field and the customer that stands in the way. */
const conflict = (code: string, field: string, holder: { id: string; key: string; name: string }) => {
  const { id, key, name } = holder;
  const message = expect.stringContaining(`"${name}" (key "${key}", id ${id})`);
  return {
    status: 409,
    json: {
      title: 'Conflict',
      detail: message,
      extensions: {
        validationErrors: [{ code, field, message, severity: 'critical', attributes: { customer: { id, key, name } } }],
      },
    },
  };
};

test('a key that another living customer has', async () => {
  const holder = await t.create('acme');
  expect(await post('acme')).toMatchObject(conflict('customer_key_taken', 'key', holder));
  expect(await t.keys()).toEqual(['acme']);
});

test('a key that is also among the subject keys of its owner: the key is what conflicts', async () => {
  const holder = await t.create('acme', ['acme']);
  expect(await post('acme')).toMatchObject(conflict('customer_key_taken', 'key', holder));
});

test('a key that is a subject key of another living customer', async () => {
  const holder = await t.create('acme', ['alice', 'bob']);
  expect(await post('bob')).toMatchObject(conflict('customer_key_is_subject_key', 'key', holder));
  expect(await t.keys()).toEqual(['acme']);
});

test('a key that is the id of another customer, a deleted one too', async () => {
  const holder = await t.create('acme');
  expect(await post(holder.id)).toMatchObject(conflict('customer_key_is_customer_id', 'key', holder));
  await t.call('DELETE', `/customers/${holder.id}`);
  expect(await post(holder.id)).toMatchObject(conflict('customer_key_is_customer_id', 'key', holder));
});

test('a subject key that another living customer has, when a customer is created', async () => {
  const holder = await t.create('acme', ['alice', 'bob']);
  const answer = await post('other', ['carol', 'bob']);
  expect(answer).toMatchObject(conflict('customer_subject_key_taken', 'usage_attribution.subject_keys.1', holder));
  expect(await t.keys()).toEqual(['acme']);
  await t.create('third', ['carol']);
});

test('a subject key that another living customer has, when a customer is changed', async () => {
  const holder = await t.create('acme', ['alice']);
  const customer = await t.create('other', ['bob']);
  const change = { name: 'changed', usage_attribution: { subject_keys: ['alice', 'bob'] } };
  expect(await t.call('PUT', `/customers/${customer.id}`, change)).toMatchObject(
    conflict('customer_subject_key_taken', 'usage_attribution.subject_keys.0', holder),
  );
  expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
});

test('a subject key that its owner also has as its key', async () => {
  const holder = await t.create('alice', ['alice']);
  expect(await post('other', ['alice'])).toMatchObject(
    conflict('customer_subject_key_taken', 'usage_attribution.subject_keys.0', holder),
  );
});

test('several subject keys of several customers: each is named, in the order of the request', async () => {
  const first = await t.create('first', ['a', 'b']);
  const second = await t.create('second', ['c']);
  const { status, json } = await post('third', ['c', 'free', 'b', 'a']);
  expect(status).toBe(409);
  const named = json.extensions.validationErrors.map(
    (error: { field: string; attributes: { customer: { id: string } } }) => [error.field, error.attributes.customer.id],
  );
  expect(named).toEqual([
    ['usage_attribution.subject_keys.0', second.id],
    ['usage_attribution.subject_keys.2', first.id],
    ['usage_attribution.subject_keys.3', first.id],
  ]);
});

test('names a hundred conflicts at most', async () => {
  const subjectKeys = Array.from({ length: 1000 }, (_, index) => `s${index}`);
  await t.create('first', subjectKeys);
  const { json } = await post('second', subjectKeys);
  expect(json.extensions.validationErrors).toHaveLength(100);
});

test('keys and subject keys differ by case and by spaces', async () => {
  await t.create('acme', ['alice']);
  await t.create('Acme', ['Alice', 'alice ']);
  expect(await t.keys()).toEqual(['Acme', 'acme']);
});

test('a subject key may equal the key of another customer', async () => {
  await t.create('acme');
  const other = await t.create('other', ['acme']);
  expect(other.usage_attribution.subject_keys).toEqual(['acme']);
});

test('a deleted customer stands in nobody’s way', async () => {
  const deleted = await t.create('acme', ['alice']);
  await t.call('DELETE', `/customers/${deleted.id}`);
  const customer = await t.create('acme', ['alice']);
  expect((await t.call('GET', `/customers/${deleted.id}`)).json.usage_attribution.subject_keys).toEqual(['alice']);
  await t.call('DELETE', `/customers/${customer.id}`);
  await t.create('alice', ['acme']);
});

test('quotes in names and keys stay readable', async () => {
  const holder = await t.create('a"b', [], { name: 'Say "x"' });
  const { json } = await post('a"b');
  expect(json.detail).toBe(`key "a\\"b" is the key of another customer: "Say \\"x\\"" (key "a\\"b", id ${holder.id})`);
});
