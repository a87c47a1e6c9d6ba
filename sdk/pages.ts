/** As many as the server gives at once. */
const PAGE_SIZE = 100;
/** A list that goes on after this many pages never ends. */
const MAX_PAGES = 10_000;

/** What of a list's query asks for a page. */
export interface PageQuery {
  'page[size]': number;
  'page[number]': number;
}

/**
 * All items of a list that is numbered by pages, fetched as they are used. What is made or removed meanwhile moves the
 * border between pages: an item may then come twice or not at all.
 * @throws Error after a million items
 * @param page fetches one: `itemsOf((page) => answerOf(client.GET('/v3/openmeter/meters', { params: { query: page } })))`
 */
export async function* itemsOf<Item>(
  page: (query: PageQuery) => Promise<{ data: readonly Item[] }>,
): AsyncGenerator<Item> {
  for (let number = 1; number <= MAX_PAGES; number++) {
    const { data } = await page({ 'page[size]': PAGE_SIZE, 'page[number]': number });
    yield* data;
    if (data.length < PAGE_SIZE) return;
  }
  throw new Error(`the list has more than ${MAX_PAGES} pages`);
}
