import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CatalogUnderTest, startCatalog } from '../support/catalog/catalog-command.ts';

let t: CatalogUnderTest;
beforeAll(async () => {
  t = await startCatalog();
});
afterAll(() => t.close());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
type Json = any;
const NOTHING = 'Summary:\n  Created: 0\n  Updated: 0\n  Deleted: 0\n';
const apply = async (file: string, flags = '') => {
  const run = await t.run(`apply FILE --yes ${flags}`.trim(), file);
  expect(run).toMatchObject({ code: 0, err: '' });
  expect(await t.run('apply FILE --yes')).toEqual({ code: 0, out: NOTHING, err: '' });
  return run.out;
};
const one = async (path: string, key: string): Promise<Json> =>
  (await t.call('GET', `${path}?filter[key]=${key}`)).data[0];
const versions = async (path: string, key: string): Promise<Json[]> =>
  (await t.call('GET', `${path}?filter[key]=${key}&sort=${path === '/plans' ? 'version' : 'created_at'}`)).data;
const shown = async (path: string, key: string) =>
  (await versions(path, key)).map(({ version, status }) => `${version} ${status}`).join(', ');

const meter = (key: string, lines: string[] = []) =>
  [
    `- key: ${key}`,
    `  name: ${key}`,
    '  aggregation: count',
    `  event_type: ${key}`,
    ...lines.map((l) => `  ${l}`),
  ].join('\n');
const plan = (key: string, amount: string, lines: string[] = []) =>
  [
    'plans:',
    `- key: ${key}`,
    `  name: ${key}`,
    '  currency: USD',
    '  billing_cadence: P1M',
    ...lines.map((line) => `  ${line}`),
    '  phases:',
    '  - key: default',
    '    name: Default',
    '    rate_cards:',
    '    - key: fee',
    '      name: Fee',
    '      billing_cadence: P1M',
    `      price: {type: flat, amount: ${amount}}`,
  ].join('\n');

describe('diff', () => {
  const file = `meters:\n${meter('diffed')}\n${plan('diffed', '"1"')}\n`;

  test('shows what would be done, and does nothing', async () => {
    const out =
      'create meter diffed\ncreate plan diffed (and publish)\nSummary:\n  Created: 2\n  Updated: 0\n  Deleted: 0\n';
    expect(await t.run('diff FILE', file)).toEqual({ code: 0, out, err: '' });
    expect(await t.run('diff FILE --non-zero-exit-code')).toEqual({ code: 2, out, err: '' });
    expect(await one('/meters', 'diffed')).toBeUndefined();
  });

  test('apply asks: "no" and nobody to ask change nothing', async () => {
    const asked = await t.run('apply FILE', file, { answer: false });
    expect(asked).toMatchObject({ code: 1, out: 'create meter diffed\ncreate plan diffed (and publish)\n' });
    expect(await t.run('apply FILE', file)).toMatchObject({
      code: 1,
      err: 'nothing was changed: give --yes to apply without being asked\n',
    });
    expect(await one('/meters', 'diffed')).toBeUndefined();
    expect(await t.run('apply FILE', file, { answer: true })).toMatchObject({ code: 0 });
    expect(await one('/meters', 'diffed')).toBeDefined();
  });
});

describe('what has no versions', () => {
  test('is updated; what is left out goes', async () => {
    await apply(`meters:\n${meter('changed', ['description: d', 'labels: {a: b}', 'dimensions: {r: $.r, s: $.s}'])}`);
    const out = await apply(`meters:\n${meter('changed', ['dimensions: {r: $.route}'])}`);
    expect(out.split('\n').slice(0, 5)).toEqual([
      'update meter changed',
      '  description: "d" → (none)',
      '  labels: {"a":"b"} → (none)',
      '  dimensions.r: "$.r" → "$.route"',
      '  dimensions.s: "$.s" → (none)',
    ]);
    expect(await one('/meters', 'changed')).toMatchObject({ dimensions: { r: '$.route' } });
  });

  test('tax codes, defaults, and the unit cost of features', async () => {
    const file = (code: string, cost: string) =>
      [
        `tax_codes: [{key: goods, name: Goods, app_mappings: [{app_type: stripe, tax_code: ${code}}]}]`,
        'tax_code_defaults: {invoicing_tax_code: {key: goods}}',
        `features: [{key: goods, name: Goods, unit_cost: {type: manual, amount: ${cost}}}]`,
      ].join('\n');
    expect(await apply(file('txcd_10000000', '0.10'))).toContain('update tax code defaults organization');
    const out = await apply(file('txcd_20000000', '"0.2"'));
    expect(out).toContain('app_mappings.stripe.tax_code: "txcd_10000000" → "txcd_20000000"');
    expect(out).toContain('update feature goods\n  unit_cost.amount: "0.1" → "0.2"');
    expect((await one('/features', 'goods')).unit_cost).toEqual({ type: 'manual', amount: '0.2' });
  });

  test.each([
    ['a meter', 'aggregation', `meters:\n${meter('fixed').replace('count', 'sum')}\n  value_property: $.v`, 'meters.0'],
    ['a feature', 'meter', 'features: [{key: fixed, name: fixed, meter: {key: fixed}}]', 'features.0'],
  ])('%s keeps what is counted and billed; one refusal stops everything', async (_what, field, change, where) => {
    await apply(`meters:\n${meter('fixed')}\nfeatures: [{key: fixed, name: fixed}]`);
    const run = await t.run('apply FILE --yes', `tax_codes: [{key: never, name: n, app_mappings: []}]\n${change}\n`);
    expect(run.code).toBe(1);
    expect(run.err).toMatch(new RegExp(`^FILE:\\d+:\\d+: ${where}: \\w+ fixed: .*${field}.* cannot change`));
    expect(run.err).toMatch(/nothing was changed\n$/);
    const { data } = await t.call('GET', '/tax-codes');
    expect(data.map(({ key }: Json) => key)).not.toContain('never');
  });
});

describe('plans and add-ons', () => {
  test('a published plan never changes: a new version only when told so', async () => {
    await apply(plan('published', '"1"'));
    const changed = plan('published', '2');
    const refused = await t.run('apply FILE --yes', changed);
    expect(refused).toMatchObject({
      code: 1,
      out: 'refused: new version of plan published\n  phases.default.rate_cards.fee.price.amount: "1" → "2"\n',
    });
    expect(refused.err).toContain('FILE:2:3: plans.0: plan published: version 1 is published and never changes');
    expect(await shown('/plans', 'published')).toBe('1 active');
    expect(await t.run('diff FILE --non-zero-exit-code')).toMatchObject({ code: 2 });

    const out = await apply(changed, '--new-version');
    expect(out).toContain('new version of plan published (version 1 will be archived)');
    expect(await shown('/plans', 'published')).toBe('1 archived, 2 active');
    expect((await versions('/plans', 'published'))[1].phases[0].rate_cards[0].price.amount).toBe('2');
  });

  test('a draft changes as it likes, also in what is fixed, and is published when the file says so', async () => {
    const draft = (amount: string) => plan('drafted', amount, ['status: draft']);
    expect(await apply(draft('1'))).toContain('create plan drafted (a draft)');
    expect(await apply(draft('2'))).toContain('update plan drafted (a draft)');
    await apply(draft('2').replace('USD', 'EUR'));
    expect((await versions('/plans', 'drafted'))[0]).toMatchObject({ currency: 'EUR', status: 'draft' });
    const published = plan('drafted', '2').replace('USD', 'EUR');
    expect(await apply(published)).toMatch(/^update plan drafted \(publish version \d, now a draft\)/);
    expect(await shown('/plans', 'drafted')).toBe('2 active');
    expect(await apply(draft('3').replace('USD', 'EUR'))).toContain('create plan drafted (a draft beside it)');
    expect(await t.run('apply FILE --yes', published)).toMatchObject({ out: NOTHING });
    await apply(published.replace('amount: 2', 'amount: 4'), '--new-version');
    expect(await shown('/plans', 'drafted')).toBe('2 archived, 3 active');
  });

  test('the same in other words is no change', async () => {
    const card = (key: string, price: string) =>
      `    - {key: ${key}, name: ${key}, billing_cadence: P1M, price: {type: flat, amount: ${price}}}`;
    const head = plan('same', '"1.50"').split('\n');
    await apply([...head, card('a', '"2"'), card('b', '"0.10"')].join('\n'));
    const other = [
      ...plan('same', '1.5', ["description: ''", 'labels: {}', 'status: active', 'pro_rating_enabled: true']).split(
        '\n',
      ),
      card('b', '0.1').replace('}}', '}, payment_term: in_arrears, discounts: {}}'),
      card('a', '2.000'),
    ];
    expect(await t.run('diff FILE', other.join('\n'))).toEqual({ code: 0, out: NOTHING, err: '' });
  });

  test('add-ons of a plan: assigned before it is published, kept and changed with new versions', async () => {
    const addon = (amount: string) =>
      `addons: [{key: extra, name: Extra, instance_type: multiple, currency: USD, rate_cards: [{key: extra, name: Extra, billing_cadence: P1M, price: {type: flat, amount: ${amount}}}]}]`;
    const offer = (quantity: number) => [
      `addons: [{addon: {key: extra}, name: Extra, from_plan_phase: default, max_quantity: ${quantity}}]`,
    ];
    await apply(`${addon('1')}\n${plan('with_addons', '1', offer(2))}`);
    const out = await apply(`${addon('5')}\n${plan('with_addons', '1', offer(3))}`, '--new-version');
    expect(out).toContain('new version of add-on extra');
    expect(out).toContain('addons.extra.max_quantity: 2 → 3');
    expect(await shown('/addons', 'extra')).toBe('1 archived, 2 active');
    const [, second] = await versions('/plans', 'with_addons');
    const assigned = (await t.call('GET', `/plans/${second.id}/addons`)).data;
    const current = (await versions('/addons', 'extra'))[1];
    expect(assigned).toMatchObject([{ addon: { id: current.id }, max_quantity: 3 }]);
    expect(await apply(`${addon('5')}\n${plan('with_addons', '1')}`, '--new-version')).toContain('addons: [{');
    const [, , third] = await versions('/plans', 'with_addons');
    expect((await t.call('GET', `/plans/${third.id}/addons`)).data).toEqual([]);
  });

  test('a draft on an archived feature differs from one on the feature that has its key now', async () => {
    const file = [
      'features: [{key: reborn, name: Reborn}]',
      ...plan('on_reborn', '1', ['status: draft']).split('\n'),
      '    - {key: reborn, name: R, billing_cadence: P1M, feature: {key: reborn}, price: {type: free}, entitlement: {type: boolean}}',
    ].join('\n');
    await apply(file);
    await t.call('DELETE', `/features/${(await one('/features', 'reborn')).id}`);
    const out = await apply(file);
    expect(out).toContain('create feature reborn');
    expect(out).toContain('rate_cards.reborn.feature.key: "reborn (archived)" → "reborn"');
  });
});

test('anchors and merge keys are read as what they stand for', async () => {
  const file = [
    '_format_version: 1.0',
    'meters:',
    '- &base {key: anchored, name: Anchored, aggregation: count, event_type: anchored, dimensions: &all {r: $.r}}',
    '- {<<: *base, key: merged, dimensions: {<<: *all, s: $.s}}',
  ];
  await apply(file.join('\n'));
  expect(await one('/meters', 'merged')).toMatchObject({ name: 'Anchored', dimensions: { r: '$.r', s: '$.s' } });
});

test('a change that fails tells what is done; the rest is made once the cause is gone', async () => {
  const file = `meters:\n${meter('half_done')}\n${plan('half_done', '"-1"')}\n`;
  const failed = await t.run('apply FILE --yes', file);
  expect(failed.code).toBe(1);
  expect(failed.out).toContain('Created: 1');
  const [first, second] = failed.err.split('\n');
  expect(first).toBe('1 of 2 changes are made; apply again once the cause is gone:');
  expect(second).toMatch(/^FILE:\d+:\d+: plans\.0\.phases\.0\.rate_cards\.0\.price\.amount: /);
  const [, line = ''] = /^FILE:(\d+):/.exec(second ?? '') ?? [];
  expect(file.split('\n')[Number(line) - 1]).toContain('amount: "-1"');
  await apply(file.replace('-1', '1'));
  expect(await shown('/plans', 'half_done')).toMatch(/ active$/);
});
