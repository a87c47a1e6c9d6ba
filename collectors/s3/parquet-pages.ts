import type { AsyncBuffer, PageHeader, RowGroup } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { ObjectUnreadable } from './rows.ts';

/**
 * Values for which a slice of rows may ask, of all columns together. A page of some bytes may say that it has any number, and
 * room is made for them before they are read, some of it where the bound of a thread's memory does not count.
 */
const MAX_VALUES = 24 * 1024 * 1024;

/** A file whose pages are looked at before they are decoded. For one slice of rows. */
export function vetted(file: AsyncBuffer, group: RowGroup): AsyncBuffer {
  const indexes = new Set(group.columns.map(({ offset_index_offset: at }) => String(at)));
  let left = MAX_VALUES;
  return {
    byteLength: file.byteLength,
    async slice(start, end) {
      const bytes = await file.slice(start, end);
      // All else that is read of a group are pages, from the header of one on.
      if (!indexes.has(String(start))) left -= valuesIn(bytes);
      if (left < 0) throw new ObjectUnreadable(`has pages of more than ${MAX_VALUES} values for some rows`);
      return bytes;
    },
  };
}

/** For how many values reading some rows of these pages makes room: of a page all, though only some are wanted. */
function valuesIn(bytes: ArrayBuffer): number {
  const reader = { view: new DataView(bytes), offset: 0 };
  let sum = 0;
  let most = 0;
  while (reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const packed = header.compressed_page_size;
    if (!(packed >= 0 && packed <= bytes.byteLength - reader.offset)) {
      throw new ObjectUnreadable('is no Parquet: a page is longer than what it stands in');
    }
    reader.offset += packed;
    const count = countIn(header);
    sum += count;
    most = Math.max(most, count);
  }
  // The rows may begin in one page and end in the next.
  return Math.min(sum, 2 * most);
}

function countIn(header: PageHeader): number {
  const { data_page_header: one, data_page_header_v2: two, dictionary_page_header: dictionary } = header;
  const counts = [one?.num_values, two?.num_values, two?.num_nulls, dictionary?.num_values].filter(
    (count) => count !== undefined,
  );
  for (const count of counts) {
    if (!(count >= 0 && count <= MAX_VALUES)) throw new ObjectUnreadable(`has a page that says it has ${count} values`);
  }
  return Math.max(0, ...counts);
}
