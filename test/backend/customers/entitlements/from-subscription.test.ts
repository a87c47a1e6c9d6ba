import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createFeaturesService } from '../../../../backend/catalog/features/service.ts';
import { createCustomers } from '../../../../backend/customers/customers/index.ts';
import { type AgreedAccess, followSubscription } from '../../../../backend/customers/entitlements/from-subscription.ts';
import { entitlementRepository } from '../../../../backend/customers/entitlements/repository.ts';
import { openControlDb } from '../../../../backend/platform/db/control-db.ts';
import { MIGRATIONS } from '../../../support/database-template.ts';
import { testScope } from '../../../support/scope.ts';

const folder = mkdtempSync(join(tmpdir(), 'entitlements-'));
const db = openControlDb(join(folder, 'control.sqlite'), MIGRATIONS);
afterAll(async () => {
  await db.close();
  rmSync(folder, { recursive: true });
});

const day = (n: number) => Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000;
const scope = testScope(db, { nowMs: () => day(0) });
const { newId } = scope;
let customerId = '';
let featureId = '';
let subscriptionId = '';
beforeEach(async () => {
  const name = newId();
  customerId = (await createCustomers({ scope }).create({ key: name, name })).id;
  featureId = (await createFeaturesService({ scope }).create({ key: `f_${name.toLowerCase()}`, name })).id;
  subscriptionId = newId();
});

const limit = (itemId: string, amount: string, fromMs: number, toMs?: number): AgreedAccess => ({
  itemId,
  featureId,
  featureKey: 'api_calls',
  template: { type: 'metered', limit: amount, isSoftLimit: false, usagePeriod: 'P1M' },
  unitConfig: undefined,
  fromMs,
  toMs,
  measureFromMs: day(0),
});
const follow = (nowMs: number, ...access: AgreedAccess[]) =>
  scope.transaction((own) =>
    followSubscription({ id: subscriptionId, customerId, billingAnchorMs: day(0), access }, { scope: own, nowMs }),
  );
const stretches = async () =>
  (await entitlementRepository(db).ofSubscription(subscriptionId))
    .filter(({ activeFromMs, activeToMs }) => activeToMs !== activeFromMs)
    .map(({ terms, activeFromMs, activeToMs }) => [
      terms.type === 'metered' ? terms.measuring.issue?.amount : terms.type,
      (activeFromMs - day(0)) / 86_400_000,
      activeToMs === undefined ? undefined : (activeToMs - day(0)) / 86_400_000,
    ]);

describe('entitlements that a subscription brings about', () => {
  it('begin and end with its rate cards, now and later', async () => {
    await follow(day(0), limit('trial', '10', day(0), day(14)), limit('paid', '100', day(14)));
    expect(await stretches()).toEqual([
      ['10', 0, 14],
      ['100', 14, undefined],
    ]);
  });

  it('stay what they are when nothing has changed', async () => {
    await follow(day(0), limit('a', '10', day(0)));
    const [before] = await entitlementRepository(db).ofSubscription(subscriptionId);
    await follow(day(3), limit('a', '10', day(0)));
    expect(await entitlementRepository(db).ofSubscription(subscriptionId)).toEqual([before]);
  });

  it('end when it is canceled, and go on when that is taken back', async () => {
    await follow(day(0), limit('a', '10', day(0)));
    await follow(day(5), limit('a', '10', day(0), day(31)));
    expect(await stretches()).toEqual([['10', 0, 31]]);
    await follow(day(6), limit('a', '10', day(0)));
    expect(await stretches()).toEqual([['10', 0, undefined]]);
  });

  it('are replaced at the instant of an add-on, and never begin when what was planned is dropped', async () => {
    await follow(day(0), limit('a', '10', day(0)));
    await follow(day(2), limit('a', '10', day(0), day(2)), limit('a+addon', '30', day(2)));
    expect(await stretches()).toEqual([
      ['10', 0, 2],
      ['30', 2, undefined],
    ]);
    await follow(
      day(3),
      limit('a', '10', day(0), day(2)),
      limit('a+addon', '30', day(2), day(40)),
      limit('b', '7', day(40)),
    );
    await follow(day(4), limit('a', '10', day(0), day(2)), limit('a+addon', '30', day(2)));
    expect(await stretches()).toEqual([
      ['10', 0, 2],
      ['30', 2, undefined],
    ]);
  });

  it('measure from the start of the phase, so that a change gives no usage for free', async () => {
    await follow(day(0), limit('a', '10', day(0)));
    await follow(day(2), limit('a', '10', day(0), day(2)), limit('b', '30', day(2)));
    const found = await entitlementRepository(db).ofSubscription(subscriptionId);
    for (const { terms } of found) expect(terms).toMatchObject({ measuring: { measureFromMs: day(0) } });
    const grants = (await entitlementRepository(db).withGrants(found)).flatMap(({ grants: own }) => own);
    expect(grants.map(({ amount, effectiveAtMs }) => [amount, effectiveAtMs])).toEqual([
      ['10', day(0)],
      ['30', day(0)],
    ]);
  });

  it('are refused where the customer has access from elsewhere', async () => {
    await follow(day(0), limit('a', '10', day(0)));
    subscriptionId = newId();
    expect(await follow(day(1), limit('z', '10', day(1)))).toMatchObject([{ featureKey: 'api_calls' }]);
    expect(await stretches()).toEqual([]);
  });
});
