import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import {
  dateTimeSchema,
  descriptionSchema,
  labelsSchema,
  nameSchema,
  resourceFields,
  resourceKeySchema,
} from '../../platform/http/schemas.ts';
import { currencyCodeSchema, rateCardsSchema, validationErrorSchema } from '../product-catalog/index.ts';

/** What a client may change while the add-on is a draft; PUT replaces all of it. */
const contentFields = {
  name: nameSchema,
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  instance_type: z.enum(['single', 'multiple']).openapi('AddonInstanceType'),
  rate_cards: rateCardsSchema,
};

const identityFields = {
  key: resourceKeySchema.openapi({ description: 'Shared by all versions of the add-on.' }),
  currency: currencyCodeSchema,
};

export const createAddonSchema = z.strictObject({ ...contentFields, ...identityFields }).openapi('CreateAddonRequest');

export const upsertAddonSchema = z.strictObject(contentFields).openapi('UpsertAddonRequest');
export type UpsertAddon = z.output<typeof upsertAddonSchema>;

export const addonSchema = z
  .strictObject({
    ...resourceFields,
    ...contentFields,
    ...identityFields,
    version: z.int().min(1),
    effective_from: dateTimeSchema.optional(),
    effective_to: dateTimeSchema.optional(),
    status: z.enum(['draft', 'active', 'archived']),
    validation_errors: z.array(validationErrorSchema).optional(),
  })
  .openapi('Addon');

export const addonPageSchema = z
  .strictObject({ data: z.array(addonSchema), meta: pageMetaSchema })
  .openapi('AddonPagePaginatedResponse');

export type AddonSortField = 'created_at' | 'id' | 'key' | 'name' | 'updated_at';
export type AddonFilterField = 'id' | 'key' | 'name' | 'status' | 'currency';
