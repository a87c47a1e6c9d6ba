import type { InvoicesDeps } from '../deps.ts';
import { invoiceNotFound } from '../errors.ts';
import { lineRepository } from '../lines/repository.ts';
import { currencyOf } from '../money.ts';
import { invoiceRepository } from '../repository.ts';
import { contentOf } from './content.ts';
import { formatsOf, localeOf } from './formats.ts';
import { invoiceHtml } from './html.ts';
import { invoicePdf } from './pdf.ts';

export interface DocumentService {
  /** @param locale asked for; default: that of the customer's country @throws RequestProblem 404 */
  html(invoiceId: string, locale: string | undefined): Promise<string>;
  pdf(invoiceId: string, locale: string | undefined): Promise<Uint8Array>;
}

export function createDocumentService(deps: InvoicesDeps): DocumentService {
  const read = async (invoiceId: string, asked: string | undefined) => {
    const invoice = await invoiceRepository(deps.db).byId(invoiceId);
    if (invoice === undefined) throw invoiceNotFound(invoiceId);
    const lines = await lineRepository(deps.db).ofInvoice(invoiceId);
    const locale = localeOf(asked, invoice.customer);
    const currency = await currencyOf(deps, invoice.currency, deps.db);
    return { locale, content: contentOf(invoice, lines, formatsOf(locale, currency)) };
  };
  return {
    html: async (invoiceId, asked) => {
      const { content, locale } = await read(invoiceId, asked);
      return invoiceHtml(content, locale);
    },
    pdf: async (invoiceId, asked) => invoicePdf((await read(invoiceId, asked)).content),
  };
}
