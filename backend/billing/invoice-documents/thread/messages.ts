import type { Currency } from '../../../platform/money.ts';
import type { Invoice, InvoiceLine } from '../../invoice-records/index.ts';

import type { DocumentFrame } from '../content.ts';

export type DocumentFormat = 'html' | 'pdf';

/** What a document says, but for its lines, which follow in slices that no turn is long for. */
export interface DocumentRequest {
  format: DocumentFormat;
  invoice: Invoice;
  locale: string;
  frame: DocumentFrame;
  currency: Currency;
}

export type ToDocumentThread =
  | { kind: 'begin'; request: DocumentRequest }
  | { kind: 'lines'; lines: readonly InvoiceLine[] }
  | { kind: 'make' };

export type FromDocumentThread =
  /** @property missing code points that could not be shown, and whose numbers are printed in their place */
  { kind: 'made'; bytes: Uint8Array<ArrayBuffer>; missing: readonly number[] } | { kind: 'failed'; error: Error };

/** What the thread is started with. */
export interface DocumentThreadData {
  /** A folder with fonts of the operator's. */
  fontsDir: string | undefined;
}
