import type { Row } from './rows.ts';

export type ToParquetProcess =
  /** The first: which file. @property from rows that are known already */
  | { readonly kind: 'begin'; readonly byteLength: number; readonly from: number }
  /** The next rows are wanted. */
  | { readonly kind: 'more' }
  /** What it asked for. */
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Uint8Array };

export type FromParquetProcess =
  | { readonly kind: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'unreadable'; readonly reason: string };
