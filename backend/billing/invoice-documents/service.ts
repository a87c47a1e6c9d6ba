import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Scope } from '../../platform/scope.ts';
import type { DocumentSettings } from '../billing-profiles/index.ts';
import { currencyOf } from '../charges/index.ts';
import {
  type Invoice,
  type InvoiceLine,
  invoiceRepository,
  lineRepository,
  statusOf,
} from '../invoice-records/index.ts';
import { invoiceNotFound } from '../invoices/index.ts';
import type { DocumentsDeps } from './deps.ts';
import { localeOf } from './formats.ts';
import { documentRepository } from './repository.ts';
import { sampleInvoice } from './sample.ts';
import { createDocumentMaker } from './thread/document-maker.ts';
import type { DocumentFormat } from './thread/messages.ts';
import { languageOf } from './words/index.ts';

export interface DocumentService {
  /**
   * @param locale asked for; default: that of the customer's country
   * @param signal aborted when the client has gone
   * @returns the file @throws RequestProblem 404; 503 when too many documents are being made; 400 when it is too large
   */
  make(
    invoiceId: string,
    format: DocumentFormat,
    locale: string | undefined,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** A page of nothing real, with these settings of a profile. @throws RequestProblem 404 */
  sample(profileId: string, settings: DocumentSettings, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** Nothing of what it says changes any more; a void one is marked so. */
function isIssued({ status, issuedAtMs }: Invoice): boolean {
  return issuedAtMs !== undefined && !UNSETTLED.has(statusOf(status));
}
const UNSETTLED: ReadonlySet<string> = new Set(['draft', 'issuing', 'delete', 'deleted', 'voided']);

/** A draft that is edited all the time is printed as it was read. */
const MAX_READINGS = 3;

export function createDocumentService(scope: Scope, deps: DocumentsDeps): DocumentService {
  const maker = createDocumentMaker({ log: scope.log, fontsDir: deps.documentFontsDir }, deps.documentLimits);
  const find = async (invoiceId: string): Promise<Invoice> => {
    const invoice = await invoiceRepository(scope).byId(invoiceId);
    if (invoice === undefined) throw invoiceNotFound(invoiceId);
    return invoice;
  };
  /** Lines are read in pieces, between which the invoice may change: then once more. */
  const read = async (invoiceId: string): Promise<{ invoice: Invoice; lines: InvoiceLine[] }> => {
    for (let reading = 1; ; reading++) {
      const invoice = await find(invoiceId);
      const lines: InvoiceLine[] = [];
      for await (const page of lineRepository(scope).pagesOfInvoice(invoiceId)) {
        lines.push(...page);
        await nextTurn();
      }
      const isAsItWas = (await find(invoiceId)).updatedAtMs === invoice.updatedAtMs;
      if (isAsItWas || reading === MAX_READINGS) return { invoice, lines };
    }
  };
  const frameOf = async (invoice: Invoice, asked: string | undefined) => {
    const settings = invoice.document ?? (await deps.documentOf(invoice, scope));
    const agreed = settings.customer.language ?? settings.profile.language;
    const locale = localeOf(asked, invoice.customer, agreed);
    const language = (asked === undefined ? agreed : languageOf(locale)) ?? 'en';
    const { logo } = await deps.documentSettings(invoice.profileId);
    return { locale, frame: { settings, language, logo } };
  };
  return {
    sample: async (profileId, { logo, ...settings }, signal) => {
      const stored = await deps.storedProfile(profileId, scope);
      const { invoice, lines } = sampleInvoice(stored, scope.clock.nowMs());
      const { language = 'en' } = settings;
      return maker.make(async () => {
        const currency = await currencyOf(deps, invoice.currency, scope);
        const locale = localeOf(undefined, invoice.customer, settings.language);
        const frame = { settings: { profile: settings, customer: {} }, language, logo };
        return { format: 'html' as const, invoice, lines, currency, locale, frame };
      }, signal);
    },
    make: async (invoiceId, format, asked, signal) => {
      const found = await find(invoiceId);
      const isKept = asked === undefined && isIssued(found);
      const kept = isKept ? await documentRepository(scope).find(invoiceId, format) : undefined;
      if (kept !== undefined) return kept;
      const bytes = await maker.make(async () => {
        const { invoice, lines } = await read(invoiceId);
        const currency = await currencyOf(deps, invoice.currency, scope);
        return { format, invoice, lines, currency, ...(await frameOf(invoice, asked)) };
      }, signal);
      if (!isKept) return bytes;
      // Some have megabytes: each step is a turn of its own.
      await nextTurn();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await nextTurn();
      const isFirst = await documentRepository(scope).insert({ invoiceId, format, bytes, sha256 }, scope.clock.nowMs());
      await nextTurn();
      // Two may have made it at once: everybody gets the one that stays.
      return (isFirst ? undefined : await documentRepository(scope).find(invoiceId, format)) ?? bytes;
    },
  };
}
