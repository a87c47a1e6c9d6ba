import { isTurnUsedUp, nextTurn } from './turn.ts';

/** How many items are done before the clock is looked at: most take microseconds. */
const ITEMS_AT_ONCE = 16;

/** As `for (const item of items) await work(item)`, but others have their turn of the event loop when there are many. */
export async function forEachInSlices<Item>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<unknown> | unknown,
): Promise<void> {
  let index = 0;
  for (const item of items) {
    if (index % ITEMS_AT_ONCE === 0 && isTurnUsedUp()) await nextTurn();
    const done = work(item, index);
    if (done instanceof Promise) await done;
    index += 1;
  }
}

/** As `items.map(change)`, one after the other, but others have their turn of the event loop when there are many. */
export async function mapInSlices<Item, Changed>(
  items: Iterable<Item>,
  change: (item: Item, index: number) => Promise<Changed> | Changed,
): Promise<Changed[]> {
  const changed: Changed[] = [];
  await forEachInSlices(items, (item, index) => {
    const result = change(item, index);
    if (!(result instanceof Promise)) return changed.push(result);
    return result.then((late) => changed.push(late));
  });
  return changed;
}
