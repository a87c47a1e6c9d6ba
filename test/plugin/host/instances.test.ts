import { describe, expect, test } from 'vitest';
import { createInstanceTable } from '../../../plugin/host/instances.ts';

describe('the ids of instances', () => {
  test('begin somewhere else in each process', () => {
    const firstIds = Array.from({ length: 50 }, () => createInstanceTable<string>().add('a').id);
    expect(new Set(firstIds).size).toBe(50);
    for (const id of firstIds) expect(Number.isInteger(id) && id >= 1 && id <= 2 ** 31 - 1).toBe(true);
  });

  test('are never given twice, also when they begin again', () => {
    const table = createInstanceTable<string>(10, 2 ** 31 - 2);
    const ids = Array.from({ length: 5 }, () => table.add('a').id);
    expect(ids).toEqual([2 ** 31 - 2, 2 ** 31 - 1, 1, 2, 3]);
    const small = createInstanceTable<string>(10, 1, 4);
    for (const name of ['a', 'b', 'c']) small.add(name);
    small.delete(2);
    expect([small.add('d').id, small.add('e').id]).toEqual([4, 2]);
    expect(small.get(1)).toBe('a');
  });
});

describe('the table of instances', () => {
  test('is bounded: the oldest goes', () => {
    const table = createInstanceTable<string>(3, 1);
    for (const name of ['a', 'b', 'c']) expect(table.add(name).evictedId).toBeUndefined();
    expect(table.add('d')).toEqual({ id: 4, evictedId: 1 });
    expect([1, 2, 3, 4].map((id) => table.get(id))).toEqual([undefined, 'b', 'c', 'd']);
    expect(table.delete(2)).toBe(true);
    expect(table.delete(2)).toBe(false);
    expect(table.add('e').evictedId).toBeUndefined();
    expect([...table.entries()]).toEqual([
      [3, 'c'],
      [4, 'd'],
      [5, 'e'],
    ]);
  });
});
