import { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import { tooLongList } from '../../../backend/platform/http/list-bounds.ts';

let looks = 0;
const item = z.strictObject({
  name: z.string().refine(() => {
    looks += 1;
    return true;
  }),
});
const schema = z.strictObject({
  lists: z.array(z.strictObject({ items: z.array(item).max(3).optional() })).max(2),
  either: z.union([z.array(item).max(1), z.strictObject({ items: z.array(item).max(2).default([]) })]).optional(),
  tree: z.lazy(() => z.array(z.string()).min(1).max(2).nullable()).optional(),
});
const items = (count: number) => Array(count).fill({ name: 'x' });

test.each([
  [{ lists: items(3) }, 'lists', 2],
  [{ lists: [{ items: items(3) }, { items: items(4) }] }, 'lists.1.items', 3],
  [{ tree: ['a', 'b', 'c'] }, 'tree', 2],
])('%j has too long a list at %s, and its items are not looked at', (value, path, maximum) => {
  expect(tooLongList(schema, value)).toEqual({
    path: path.split('.').map((part) => (part === '1' ? 1 : part)),
    maximum,
  });
  expect(looks).toBe(0);
});

test.each([
  [{ lists: items(2) }],
  [{ lists: [{ items: items(3) }] }],
  [{ lists: 'no list' }],
  [{ either: items(2) }],
  [{ either: { items: items(2) } }],
  [{ tree: null }],
  [[]],
  [null],
])('%j has none: its schema says what else is wrong', (value) => {
  expect(tooLongList(schema, value)).toBeUndefined();
});
