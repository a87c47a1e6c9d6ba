import type { RunaiApi } from './api.ts';
import { ApiFailure } from './http.ts';

export interface Page {
  readonly items: readonly unknown[];
  readonly dateMs: number | undefined;
}

/** A million resources in pages of the usual size; a server that never ends its list must not hold us for ever. */
const MAX_PAGES = 2000;
/** So many may leave a list between two of its pages without another being passed over: what is read twice counts once. */
const OVERLAP = 10;

/**
 * A list, a page at a time, by the server's own `next`.
 * @param field which of the answer's fields has the items
 * @throws ApiFailure
 */
export async function* pagesOf(
  api: RunaiApi,
  { path, field }: { readonly path: string; readonly field: string },
  query: Readonly<Record<string, string>>,
  pageSize: number,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let offset = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const asked = { ...query, limit: String(pageSize), offset: String(offset) };
    const { status, body, dateMs } = await api.get(path, asked, signal);
    const { [field]: items, next } = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
    if (status !== 200 || !Array.isArray(items)) throw new ApiFailure(`the answer has no list of ${field}`, false);
    yield { items, dateMs };
    if (next === undefined || next === null) return;
    if (typeof next !== 'number' || !Number.isSafeInteger(next) || next <= offset) {
      throw new ApiFailure(`the list of ${field} does not go on`, false);
    }
    offset = next - Math.min(OVERLAP, Math.floor((next - offset) / 2));
  }
  throw new ApiFailure(`the list of ${field} does not end`, false);
}
