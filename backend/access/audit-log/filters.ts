import type { FilterCondition, FilterKind } from '../../platform/http/filtering.ts';
import { OUTCOMES } from './schema.ts';

/** What the list can be filtered by. */
export const AUDIT_FILTERS = {
  time: 'datetime',
  actor: 'string',
  actor_id: 'ulid',
  role: 'string-exact',
  operation_id: 'string',
  resource_type: 'string',
  resource_id: 'string-exact',
  outcome: { oneOf: OUTCOMES },
} as const satisfies Record<string, FilterKind>;
export type AuditFilter = FilterCondition<keyof typeof AUDIT_FILTERS>;
