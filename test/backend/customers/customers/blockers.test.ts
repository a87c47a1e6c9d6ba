import { afterEach, expect, test } from 'vitest';
import type { CustomerBlockers } from '../../../../backend/customers/customers/index.ts';
import { customerRepository } from '../../../../backend/customers/customers/repository.ts';
import { validationProblem } from '../../../../backend/platform/errors.ts';
import { type CustomersUnderTest, startCustomers } from '../../../support/customers/customers-alone.ts';

let t: CustomersUnderTest;
afterEach(() => t.close());

/** Blocks what is asked of customers whose name starts with "busy", read through the handle that is handed over. */
const busy = (kind: 'precondition-failed' | 'bad-request', code: string) => async (id: string, db: unknown) => {
  const customer = await customerRepository(db as never).byId(id);
  if (customer?.name.startsWith('busy') !== true) return undefined;
  return validationProblem(kind, [{ code, message: `${customer.key} is busy`, severity: 'critical' }]);
};
const blockers: CustomerBlockers = {
  deletion: busy('precondition-failed', 'busy_deletion'),
  subjectKeyChange: busy('bad-request', 'busy_subject_keys'),
  currencyChange: busy('bad-request', 'busy_currency'),
};

test('a blocked deletion answers the blocker’s problem and changes nothing', async () => {
  t = startCustomers(blockers);
  const customer = await t.create('k', ['alice'], { name: 'busy' });
  t.clock.advanceMs(1_000);
  expect(await t.call('DELETE', `/customers/${customer.id}`)).toMatchObject({
    status: 412,
    json: { detail: 'k is busy', extensions: { validationErrors: [{ code: 'busy_deletion' }] } },
  });
  expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  expect(await t.call('POST', '/customers', { key: 'alice', name: 'n' })).toMatchObject({ status: 409 });
});

test('nobody is asked about a deletion that has been made', async () => {
  let asked = 0;
  const count = async () => {
    asked++;
    return undefined;
  };
  t = startCustomers({ deletion: count, subjectKeyChange: count, currencyChange: count });
  const { id } = await t.create('k');
  await t.call('DELETE', `/customers/${id}`);
  await t.call('DELETE', `/customers/${id}`);
  expect(asked).toBe(1);
});

test.each([
  ['another key', ['a', 'c']],
  ['another order', ['b', 'a']],
  ['one more', ['a', 'b', 'c']],
  ['one less', ['a']],
  ['none', []],
  ['no list', undefined],
])(
  'a blocked change of subject keys answers the blocker’s problem and changes nothing: %s',
  async (_name, subjectKeys) => {
    t = startCustomers(blockers);
    const customer = await t.create('k', ['a', 'b'], { name: 'busy' });
    const attribution = subjectKeys && { usage_attribution: { subject_keys: subjectKeys } };
    expect(await t.call('PUT', `/customers/${customer.id}`, { name: 'busy too', ...attribution })).toMatchObject({
      status: 400,
      json: { detail: 'k is busy', extensions: { validationErrors: [{ code: 'busy_subject_keys' }] } },
    });
    expect((await t.call('GET', `/customers/${customer.id}`)).json).toEqual(customer);
  },
);

test('the same subject keys are no change', async () => {
  t = startCustomers(blockers);
  const { id } = await t.create('k', ['a', 'b'], { name: 'busy' });
  const change = { name: 'busy too', usage_attribution: { subject_keys: ['a', 'b'] } };
  expect(await t.call('PUT', `/customers/${id}`, change)).toMatchObject({ status: 200, json: change });
});

test('a currency that is settled is not changed, and stays when it is left out', async () => {
  t = startCustomers(blockers);
  const { id } = await t.create('k', [], { name: 'busy', currency: 'EUR' });
  expect(await t.call('PUT', `/customers/${id}`, { name: 'busy', currency: 'USD' })).toMatchObject({
    status: 400,
    json: { extensions: { validationErrors: [{ code: 'busy_currency' }] } },
  });
  expect((await t.call('GET', `/customers/${id}`)).json).toMatchObject({ currency: 'EUR' });
  expect(await t.call('PUT', `/customers/${id}`, { name: 'free again' })).toMatchObject({
    status: 200,
    json: { name: 'free again', currency: 'EUR' },
  });
  // Nothing settles it any more.
  expect(await t.call('PUT', `/customers/${id}`, { name: 'free', currency: 'USD' })).toMatchObject({ status: 200 });
  expect((await t.call('PUT', `/customers/${id}`, { name: 'free' })).json).not.toHaveProperty('currency');
});
