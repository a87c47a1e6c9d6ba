import { z } from '@hono/zod-openapi';
import { defined } from '../../platform/defined.ts';
import type { CatalogIssue } from './types.ts';

/** An issue as answers list it in `validation_errors`. */
export const validationErrorSchema = z
  .strictObject({
    code: z.string(),
    message: z.string(),
    attributes: z.record(z.string(), z.unknown()).optional(),
    field: z.string(),
  })
  .openapi('ProductCatalogValidationError');
export type ValidationErrorBody = z.output<typeof validationErrorSchema>;

/** @returns undefined when there are none: the contract leaves the list out then */
export function toValidationErrors(issues: readonly CatalogIssue[]): ValidationErrorBody[] | undefined {
  if (issues.length === 0) return undefined;
  return issues.map(({ code, message, field, attributes }) => ({ code, message, field, ...defined({ attributes }) }));
}
