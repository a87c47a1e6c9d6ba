import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { DocumentsDeps } from './deps.ts';
import { documentRoutes } from './routes.ts';
import { createDocumentService } from './service.ts';

export type { DocumentLimits } from './thread/document-maker.ts';

/** Invoices as pages and PDFs. */
export function invoiceDocumentRoutes(router: Router, scope: Scope, deps: DocumentsDeps): void {
  documentRoutes(router, createDocumentService(scope, deps));
}
