import { z } from '@hono/zod-openapi';

const base = {
  type: z.string().optional(),
  status: z.int(),
  title: z.string(),
  instance: z.string(),
  detail: z.string(),
};

const invalidParameterSchema = z
  .object({
    field: z.string(),
    rule: z.string().optional(),
    reason: z.string(),
    source: z.enum(['body', 'path', 'query', 'header']).optional(),
    minimum: z.int().optional(),
    maximum: z.int().optional(),
    choices: z.array(z.unknown()).optional(),
    dependents: z.array(z.unknown()).optional(),
  })
  .openapi('InvalidParameter');

/** A problem as the API documents it. */
export const problemSchema = z
  .object({ ...base, extensions: z.record(z.string(), z.unknown()).optional() })
  .openapi('Problem');

/** A problem with the request, naming each wrong field. */
export const badRequestSchema = z
  .object({
    ...base,
    invalid_parameters: z.array(invalidParameterSchema).min(1),
    extensions: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('BadRequestProblem');
