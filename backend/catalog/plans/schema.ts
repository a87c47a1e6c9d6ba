import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  isoDurationSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
} from '../../platform/http/schemas.ts';
import { currencyCodeSchema, phasesSchema, validationErrorSchema } from '../product-catalog/index.ts';

/** What a client may change while the plan is a draft; PUT replaces all of it. */
const contentFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  pro_rating_enabled: z.boolean().default(true),
  phases: phasesSchema,
};

const identityFields = {
  key: resourceKeySchema.openapi({ description: 'Shared by all versions of the plan.' }),
  currency: currencyCodeSchema,
  billing_cadence: isoDurationSchema,
};

export const createPlanSchema = z.strictObject({ ...contentFields, ...identityFields }).openapi('CreatePlanRequest');
export type CreatePlan = z.output<typeof createPlanSchema>;

export const upsertPlanSchema = z.strictObject(contentFields).openapi('UpsertPlanRequest');
export type UpsertPlan = z.output<typeof upsertPlanSchema>;

export const planSchema = z
  .strictObject({
    ...resourceFields,
    ...contentFields,
    ...identityFields,
    version: z.int().min(1),
    effective_from: dateTimeSchema.optional(),
    effective_to: dateTimeSchema.optional(),
    status: z.enum(['draft', 'active', 'archived', 'scheduled']),
    settlement_mode: z.enum(['credit_then_invoice', 'credit_only']),
    validation_errors: z.array(validationErrorSchema).optional(),
  })
  .openapi('BillingPlan');

export const planPageSchema = z
  .strictObject({ data: z.array(planSchema), meta: pageMetaSchema })
  .openapi('PlanPagePaginatedResponse');

export type PlanSortField = 'created_at' | 'id' | 'key' | 'version' | 'updated_at';
export type PlanFilterField = 'key' | 'name' | 'status' | 'currency';
