import type { StoredEvent } from './types.ts';

/** Data of a page of events, in bytes as stored: some 40 ms of whoever parses and writes it again. */
export const MAX_PAGE_BYTES = 4_194_304;

/** Whether there may be more after a page: it has as many events as were asked for, or as much data as a page may have. */
export function isFullPage(events: readonly StoredEvent[], size: number): boolean {
  if (events.length >= size) return true;
  let bytes = 0;
  for (const { data } of events) bytes += data === undefined ? 0 : Buffer.byteLength(data);
  return bytes >= MAX_PAGE_BYTES;
}
