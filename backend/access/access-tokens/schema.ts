import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { ROLE_MEANINGS, ROLES } from '../../platform/http/roles.ts';
import { dateTimeSchema, instantSchema, nameSchema, ulidSchema } from '../../platform/http/schemas.ts';

/** The prefixes tell what a token is for, as in Konnect; configured tokens may have any text. */
export const TOKEN_PREFIXES = { system: 'spat_', personal: 'kpat_' } as const;
export type TokenKind = keyof typeof TOKEN_PREFIXES;

const roleSchema = z.enum(ROLES).openapi('AccessTokenRole', {
  description: ROLES.map((role) => `${role} (${ROLE_MEANINGS[role].title}): ${ROLE_MEANINGS[role].description}`).join(
    '\n',
  ),
});

export const createAccessTokenSchema = z
  .strictObject({
    name: nameSchema,
    role: roleSchema,
    kind: z
      .enum(['system', 'personal'])
      .default('system')
      .openapi({ description: 'For a machine (spat_…), or for a person (kpat_…).' }),
    expires_at: instantSchema.optional().openapi({ description: 'Without it the token works until it is revoked.' }),
  })
  .openapi('CreateAccessTokenRequest');
export type CreateAccessToken = z.output<typeof createAccessTokenSchema>;

const tokenFields = {
  id: ulidSchema,
  name: z.string(),
  kind: z.enum(['system', 'personal', 'configured']).openapi({
    description: 'A configured token stands in the environment or in TOKENS_FILE and is taken back there.',
  }),
  role: roleSchema,
  status: z.enum(['active', 'expired']),
  created_at: dateTimeSchema.optional().openapi({ description: 'Absent for configured tokens.' }),
  expires_at: dateTimeSchema.optional(),
  last_used_at: dateTimeSchema.optional().openapi({
    description: 'For configured tokens: since the server started.',
  }),
};

export const accessTokenSchema = z.strictObject(tokenFields).openapi('AccessToken');
export type AccessToken = z.output<typeof accessTokenSchema>;

// Not an extension of the other: the document would compose two closed objects, which nothing fits.
export const createdAccessTokenSchema = z
  .strictObject({
    ...tokenFields,
    token: z.string().openapi({ description: 'The token itself. It is told only here.' }),
  })
  .openapi('CreatedAccessToken');
export type CreatedAccessToken = z.output<typeof createdAccessTokenSchema>;

export const accessTokenPageSchema = z
  .strictObject({ data: z.array(accessTokenSchema), meta: pageMetaSchema })
  .openapi('AccessTokenPage');
export type AccessTokenPage = z.output<typeof accessTokenPageSchema>;

export const accessTokenSelfSchema = z
  .strictObject({
    id: ulidSchema,
    name: z.string().openapi({ description: "The token's name." }),
    role: z.string(),
    role_title: z.string().openapi({ description: 'The role as people read it: "Billing Admin".' }),
    grants: z.array(z.string()).openapi({
      description: 'What the role includes: "read", "write", "administer", "ingest", "enforce".',
    }),
  })
  .openapi('AccessTokenSelf');
