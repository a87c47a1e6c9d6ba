import type { Router } from '../../platform/http/router.ts';
import type { Scope } from '../../platform/scope.ts';
import type { TraceDeps } from './deps.ts';
import { traceRoutes } from './routes.ts';
import { createTraceService } from './service.ts';

/** From the amount of a line back to its events. */
export function invoiceTraceRoutes(router: Router, scope: Scope, deps: TraceDeps): void {
  traceRoutes(router, createTraceService(scope, deps));
}
