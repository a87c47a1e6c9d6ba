import { setImmediate as nextTurn } from 'node:timers/promises';

/** A few milliseconds' work for what is done with an item here: less than any client minds. */
const SLICE_ITEMS = 2000;

/** As `items.map(change)`, but others have their turn of the event loop between two slices of a long list. */
export async function mapInSlices<Item, Changed>(
  items: readonly Item[],
  change: (item: Item) => Changed,
): Promise<Changed[]> {
  if (items.length <= SLICE_ITEMS) return items.map(change);
  const changed: Changed[] = [];
  for (let start = 0; start < items.length; start += SLICE_ITEMS) {
    if (start > 0) await nextTurn();
    for (const item of items.slice(start, start + SLICE_ITEMS)) changed.push(change(item));
  }
  return changed;
}
