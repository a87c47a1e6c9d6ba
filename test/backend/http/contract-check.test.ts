import { expect, test } from 'vitest';
import { CONTRACT_MISSING, contractIsAvailable, contractViolations } from '../../support/contract.ts';

const meter = {
  id: '01G65Z755AFWAKHE12NY0CQ9FH',
  name: 'Tokens',
  key: 'tokens',
  aggregation: 'sum',
  event_type: 'prompt',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
};
const check = (body: object, status = 200, type = 'application/json') =>
  contractViolations('GET', `/openmeter/meters/${meter.id}`, status, type, JSON.stringify(body));

// The check that every other test leans on must be able to fail.
test.skipIf(!contractIsAvailable)(`the contract check finds what is wrong (${CONTRACT_MISSING})`, () => {
  expect(check(meter)).toEqual([]);
  expect(check({ ...meter, extra: 1 })).toHaveLength(1);
  expect(check({ ...meter, key: 'Not A Key' })).toHaveLength(1);
  expect(check({ ...meter, created_at: 'yesterday' })).toHaveLength(1);
  expect(check({ ...meter, name: undefined })).toHaveLength(1);
  expect(check({ ...meter, aggregation: 'median' })).toHaveLength(1);
  expect(check(meter, 201)).toHaveLength(1);
  expect(check(meter, 200, 'text/html')).toHaveLength(1);
  expect(check({ title: 'x' }, 404, 'application/problem+json').length).toBeGreaterThan(0);
});
