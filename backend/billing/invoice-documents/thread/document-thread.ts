/** Makes documents, one at a time: setting thousands of lines takes seconds that nobody else has to wait for. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { InvoiceLine } from '../../invoice-records/index.ts';
import { contentOf } from '../content.ts';
import { createFontLibrary } from '../fonts/library.ts';
import { formatsOf } from '../formats.ts';
import { invoiceHtml } from '../html.ts';
import { invoicePdf } from '../pdf/invoice-pdf.ts';
import type { DocumentRequest, DocumentThreadData, FromDocumentThread, ToDocumentThread } from './messages.ts';

const port = parentPort as MessagePort;
const fonts = createFontLibrary((workerData as DocumentThreadData).fontsDir);
let begun: { request: DocumentRequest; lines: InvoiceLine[] } | undefined;

port.on('message', async (message: ToDocumentThread) => {
  if (message.kind === 'begin') begun = { request: message.request, lines: [] };
  else if (message.kind === 'lines') begun?.lines.push(...message.lines);
  else if (begun !== undefined) {
    const { request, lines } = begun;
    begun = undefined;
    const answer = await made(request, lines).catch((error: unknown): FromDocumentThread => {
      return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
    });
    port.postMessage(answer, answer.kind === 'made' ? [answer.bytes.buffer] : []);
  }
});

async function made(request: DocumentRequest, lines: readonly InvoiceLine[]): Promise<FromDocumentThread> {
  const { format, invoice, locale, currency, frame } = request;
  const missing = new Set<number>();
  const options = { locale, fonts, onMissing: (codePoint: number) => missing.add(codePoint) };
  const content = contentOf(invoice, lines, formatsOf(locale, currency), frame);
  const file =
    format === 'pdf' ? await invoicePdf(content, options) : new TextEncoder().encode(invoiceHtml(content, options));
  // A buffer of its own: what is handed over may share none.
  return { kind: 'made', bytes: new Uint8Array(file), missing: [...missing] };
}
