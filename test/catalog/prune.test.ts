import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CatalogUnderTest, startCatalog } from '../support/catalog/catalog-command.ts';
import { FULL } from '../support/catalog/full-catalog.ts';

let t: CatalogUnderTest;
beforeAll(async () => {
  t = await startCatalog();
  expect(await t.run('apply FILE --yes', FULL)).toMatchObject({ code: 0 });
});
afterAll(() => t.close());

test('what a file does not have stays, unless it is pruned; sections that it does not have stay even then', async () => {
  const kept = 'features: [{key: sso, name: Single sign-on}]\nmeters: []\n';
  expect((await t.run('diff FILE', kept)).out).toBe('Summary:\n  Created: 0\n  Updated: 0\n  Deleted: 0\n');
  const empty = 'plans: []\naddons: []\nmeters: []\nfeatures: []\n';
  expect((await t.run('diff FILE --prune', empty)).out.split('\n')).toEqual([
    'delete plan premium (archive version 1)',
    'delete plan premium (version 2, a draft one)',
    'delete add-on support (archive version 1)',
    'delete feature chat',
    'delete feature sso',
    'delete feature tokens',
    'delete meter requests',
    'delete meter tokens',
    'Summary:',
    '  Created: 0',
    '  Updated: 0',
    '  Deleted: 8',
    '',
  ]);
  expect(await t.run('apply FILE --prune --yes')).toMatchObject({ code: 0, err: '' });
  expect((await t.run('diff FILE --prune')).out).toContain('Deleted: 0');
  const dump = (await t.run('dump -')).out;
  expect(dump).toContain('key: saas');
  expect(dump).not.toMatch(/^(plans|addons|meters|features):/m);
});

test('tax codes are pruned but for those that every server has', async () => {
  const defaults = 'tax_code_defaults: {invoicing_tax_code: {key: default}}\n';
  const run = await t.run('apply FILE --prune --yes', `tax_codes: []\n${defaults}`);
  expect(run).toMatchObject({ code: 0, err: '' });
  expect(run.out).toContain('delete tax code saas');
  expect((await t.run('diff FILE --prune')).out).toContain('Deleted: 0');
});

test('what was deleted can be applied again', async () => {
  expect(await t.run('apply FILE --yes', FULL)).toMatchObject({ code: 0, err: '' });
  expect((await t.run('dump -')).out).toBe(FULL);
});
