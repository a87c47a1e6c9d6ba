import type { Router } from '../platform/http/router.ts';
import { UNSERVED_OPERATIONS } from './operations.ts';

export { UNSERVED_OPERATIONS, type UnservedOperation } from './operations.ts';

/** Answers operations of the contract that this server does not have with 501: a client learns that it called rightly. */
export function unservedOperationRoutes(router: Router): void {
  for (const operation of UNSERVED_OPERATIONS) router.notImplemented(operation);
}
