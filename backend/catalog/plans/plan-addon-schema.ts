import { z } from '@hono/zod-openapi';
import { defined } from '../../platform/defined.ts';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  descriptionSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
  ulidSchema,
} from '../../platform/http/schemas.ts';
import { toValidationErrors, validationErrorSchema } from '../product-catalog/index.ts';
import type { JudgedPlanAddon } from './plan-addon-service.ts';
import type { PlanAddonTerms } from './plan-addon-types.ts';

/** The largest number that JSON readers and all databases keep exactly. */
const MAX_QUANTITY = 2_147_483_647;

const termsFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  from_plan_phase: resourceKeySchema.openapi({ description: 'Key of the phase from which on it can be bought.' }),
  max_quantity: z
    .int()
    .min(1)
    .max(MAX_QUANTITY)
    .nullish()
    .openapi({ description: 'Only for add-ons of several instances; no limit when missing.' }),
};

const addonReferenceSchema = z.strictObject({ id: ulidSchema }).openapi('AddonReference');

export const createPlanAddonSchema = z
  .strictObject({ ...termsFields, addon: addonReferenceSchema })
  .openapi('CreatePlanAddonRequest');

export const upsertPlanAddonSchema = z.strictObject(termsFields).openapi('UpsertPlanAddonRequest');

export const planAddonSchema = z
  .strictObject({
    ...resourceFields,
    ...termsFields,
    addon: addonReferenceSchema,
    validation_errors: z.array(validationErrorSchema).optional(),
  })
  .openapi('PlanAddon');

export const planAddonPageSchema = z
  .strictObject({ data: z.array(planAddonSchema), meta: pageMetaSchema })
  .openapi('PlanAddonPagePaginatedResponse');

/** @param input checked by one of the schemas */
export function toPlanAddonTerms(input: z.output<typeof upsertPlanAddonSchema>): PlanAddonTerms {
  return {
    name: input.name,
    fromPlanPhase: input.from_plan_phase,
    ...defined({ description: input.description, labels: input.labels, maxQuantity: input.max_quantity }),
  };
}

/** An add-on of a plan as answers carry it. */
export function fromPlanAddon({ planAddon, issues }: JudgedPlanAddon) {
  return {
    id: planAddon.id,
    name: planAddon.name,
    ...defined({ description: planAddon.description, labels: planAddon.labels }),
    created_at: planAddon.createdAt,
    updated_at: planAddon.updatedAt,
    ...defined({ deleted_at: planAddon.deletedAt }),
    addon: { id: planAddon.addonId },
    from_plan_phase: planAddon.fromPlanPhase,
    ...defined({ max_quantity: planAddon.maxQuantity, validation_errors: toValidationErrors(issues) }),
  };
}
