import { describe, expect, test } from 'vitest';
import {
  customerPrefix,
  draftNumber,
  gatheringNumber,
  issuedNumber,
} from '../../../../backend/billing/invoice-records/numbers.ts';
import {
  collectedAtMs,
  collectionAtMs,
  draftUntilMs,
  dueAtMs,
} from '../../../../backend/billing/invoices/lifecycle/times.ts';

const at = (text: string) => Date.parse(text);

describe('numbers', () => {
  test.each([
    ['ACME Inc.', 'ACIN'],
    ['Kong', 'KONG'],
    ['Kong Air', 'KOAI'],
    ['ab', 'AB'],
    ['Müller & Söhne GmbH', 'MUSO'],
    ['Straße', 'STRA'],
    ['Łódź', 'LODZ'],
    ['Æther', 'AETH'],
    ['3M Deutschland', '3MDE'],
    ['日本', 'UNKN'],
    ['', 'UNKN'],
    ['!!!', 'UNKN'],
  ])('%s → %s', (name, prefix) => expect(customerPrefix(name)).toBe(prefix));

  test('each kind of number', () => {
    expect(issuedNumber('OM-SANDBOX', 'ACME Inc.', 1)).toBe('OM-SANDBOX-ACIN-1');
    expect(issuedNumber('INV', 'ACME Inc.', 7)).toBe('INV-ACIN-7');
    expect(draftNumber('ACME Inc.', 2)).toBe('DRAFT-ACIN-2');
    expect(gatheringNumber('ACME Inc.', 'EUR', 3)).toBe('GATHER-ACIN-EUR-3');
  });
});

describe('collection', () => {
  test.each<[string[], string, string | undefined]>([
    [['2026-01-01T01:00:00Z'], 'PT1H', '2026-01-01T02:00:00Z'],
    [['2026-01-14T00:00:00Z', '2026-01-15T00:00:00Z'], 'P2D', '2026-01-17T00:00:00Z'],
    [['2026-01-31T00:00:00Z'], 'P1M', '2026-02-28T00:00:00Z'],
    [[], 'PT1H', undefined],
  ])('%j and %s → %s', (dues, interval, expected) => {
    expect(collectionAtMs(dues.map(at), interval)).toBe(expected === undefined ? undefined : at(expected));
  });

  const monthly = {
    type: 'anchored' as const,
    recurring_period: { anchor: '2026-01-01T00:00:00Z', interval: 'P1M' },
  };
  test.each([
    ['2026-06-05T08:00:00Z', '2026-07-01T00:00:00Z'],
    ['2026-06-01T00:00:00Z', '2026-06-01T00:00:00Z'],
    ['2025-11-30T23:59:59Z', '2025-12-01T00:00:00Z'],
  ])('anchored on the first of the month: %s → %s', (due, collected) => {
    expect(collectedAtMs(at(due), monthly)).toBe(at(collected));
    expect(collectedAtMs(at(due), { type: 'subscription' })).toBe(at(due));
  });
});

describe('drafts and due dates', () => {
  const [created, collected] = [at('2026-01-01T00:00:00Z'), at('2026-01-03T00:00:00Z')];
  test.each([
    ['after the collection', collected, { auto_advance: true, draft_period: 'P1D' }, '2026-01-04T00:00:00Z'],
    ['without one', undefined, { auto_advance: true, draft_period: 'P1D' }, '2026-01-02T00:00:00Z'],
    [
      'collected before it was made',
      at('2025-12-01T00:00:00Z'),
      { auto_advance: true, draft_period: 'P0D' },
      '2026-01-01T00:00:00Z',
    ],
  ] as const)('a draft %s', (_, collectAt, invoicing, expected) => {
    expect(draftUntilMs(created, collectAt, invoicing)).toBe(at(expected));
  });

  test('a draft that somebody has to approve has no end', () => {
    expect(draftUntilMs(created, collected, { auto_advance: false, draft_period: 'P0D' })).toBeUndefined();
  });

  test('due dates are whole seconds', () => {
    const issued = at('2026-01-31T12:00:00.500Z');
    expect(dueAtMs(issued, { collection_method: 'send_invoice', due_after: 'P1M' })).toBe(at('2026-02-28T12:00:00Z'));
    expect(dueAtMs(issued, { collection_method: 'charge_automatically' })).toBe(at('2026-03-02T12:00:00Z'));
  });
});
