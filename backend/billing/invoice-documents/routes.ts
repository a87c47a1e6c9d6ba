import { z } from '@hono/zod-openapi';
import { invalidParameter } from '../../platform/errors.ts';
import { requireAnswerRoom } from '../../platform/http/answer-room.ts';
import { queryOf, refine } from '../../platform/http/query.ts';
import { choice, text } from '../../platform/http/query-parts.ts';
import type { Router } from '../../platform/http/router.ts';
import { ulidSchema } from '../../platform/http/schemas.ts';
import { bytesAsTaken } from '../../platform/http/slow-client.ts';
import { documentSettingsSchema } from '../billing-profiles/index.ts';
import type { DocumentService } from './service.ts';

const FORMATS = ['html', 'pdf'] as const;
/** A language tag is shorter. */
const MAX_LOCALE_LENGTH = 35;

const QUERY = queryOf({
  format: choice('format', 'Default html.', FORMATS, { fallback: 'html', schema: z.enum(FORMATS) }),
  locale: refine(text('locale', 'A language tag, "de-DE".'), (locale) => {
    if (locale === undefined || (locale.length <= MAX_LOCALE_LENGTH && /^[A-Za-z0-9-]+$/.test(locale))) return locale;
    const reason = 'must be a language tag, such as "de-DE"';
    throw invalidParameter({ field: 'locale', rule: 'matches_regex', reason, source: 'query' });
  }),
});

const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:";

/** Registers the invoice as a document. */
export function documentRoutes(router: Router, service: DocumentService): void {
  router.endpoint(
    {
      method: 'get',
      path: '/billing/invoices/{invoiceId}/document',
      operationId: 'get-invoice-document',
      tag: 'Invoices',
      summary: 'Get an invoice as a page or a PDF',
      description:
        "In the customer's language, or the profile's, and as its country writes money and dates; or in the locale that is " +
        'asked for. The document of an issued invoice without a locale is made once, and always the same.',
      access: 'read',
      params: z.object({ invoiceId: ulidSchema }),
      query: QUERY,
      responses: {
        200: {
          description: 'The document.',
          content: { 'text/html': { schema: z.string() }, 'application/pdf': { schema: z.string() } },
        },
      },
    },
    async ({ c, params, query }) => {
      const { format, locale } = query;
      requireAnswerRoom();
      const bytes = await service.make(params.invoiceId, format, locale, c.req.raw.signal);
      c.header('Content-Length', `${bytes.length}`);
      if (format === 'pdf') return c.body(bytesAsTaken(bytes), 200, { 'Content-Type': 'application/pdf' });
      // Fonts and the logo stand in the page itself.
      c.header('Content-Security-Policy', PAGE_POLICY);
      return c.body(bytesAsTaken(bytes), 200, { 'Content-Type': 'text/html; charset=UTF-8' });
    },
  );
  sampleRoute(router, service);
}

function sampleRoute(router: Router, service: DocumentService): void {
  router.endpoint(
    {
      method: 'post',
      path: '/profiles/{id}/document-settings/preview',
      operationId: 'preview-billing-profile-document',
      tag: 'Billing profiles',
      summary: 'See how documents look',
      description: 'An invoice of nothing real as a page, with the settings that are sent. Nothing is stored.',
      access: 'read',
      params: z.object({ id: ulidSchema }),
      body: documentSettingsSchema,
      responses: { 200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } } },
    },
    async ({ c, params, body }) => {
      requireAnswerRoom();
      const bytes = await service.sample(params.id, body, c.req.raw.signal);
      c.header('Content-Length', `${bytes.length}`);
      c.header('Content-Security-Policy', PAGE_POLICY);
      return c.body(bytesAsTaken(bytes), 200, { 'Content-Type': 'text/html; charset=UTF-8' });
    },
  );
}
