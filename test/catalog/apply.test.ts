import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CatalogUnderTest, startCatalog } from '../support/catalog/catalog-command.ts';
import { FULL } from '../support/catalog/full-catalog.ts';

let t: CatalogUnderTest;
beforeEach(async () => {
  t = await startCatalog();
});
afterEach(() => t.close());

test('a whole catalog on an empty server: apply, nothing to do again, and dump gives the file back', async () => {
  const first = await t.run('apply FILE --yes', FULL);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('Created: 9\n');
  expect(await t.run('apply FILE --yes')).toEqual({
    code: 0,
    out: 'Summary:\n  Created: 0\n  Updated: 0\n  Deleted: 0\n',
    err: '',
  });
  expect(await t.run('diff FILE --prune --non-zero-exit-code')).toMatchObject({ code: 0, err: '' });
  expect((await t.run('dump -')).out).toBe(FULL);
  expect(await t.run('dump FILE --yes')).toMatchObject({ code: 0 });
  expect(readFileSync(t.path, 'utf8')).toBe(FULL);
  const { data } = await t.call('GET', '/plans?sort=version');
  expect(data.map(({ version, status }: { version: number; status: string }) => [version, status])).toEqual([
    [1, 'active'],
    [2, 'draft'],
  ]);
});
