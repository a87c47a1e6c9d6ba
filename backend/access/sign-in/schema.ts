import { z } from '@hono/zod-openapi';
import { pageMetaSchema } from '../../platform/http/paging.ts';
import { ROLES } from '../../platform/http/roles.ts';
import { dateTimeSchema, ulidSchema } from '../../platform/http/schemas.ts';

/** How somebody can sign in. */
export const SIGN_IN_METHODS = ['access_token', 'oidc'] as const;
export type SignInMethod = (typeof SIGN_IN_METHODS)[number];

const methodSchema = z.enum(SIGN_IN_METHODS).openapi('SignInMethod', {
  description: 'With an access token, or over OpenID Connect.',
});

const sessionFields = {
  id: ulidSchema,
  method: methodSchema,
  actor_id: ulidSchema.openapi({
    description: "Who is signed in, as the audit log names them: the access token's id, or that of the person.",
  }),
  name: z.string().openapi({ description: "The token's name, or the person's." }),
  role: z.enum(ROLES),
  created_at: dateTimeSchema,
  expires_at: dateTimeSchema.openapi({ description: 'When one has to sign in again.' }),
};

export const sessionSchema = z
  .strictObject({
    ...sessionFields,
    client_address: z.string().optional().openapi({ description: 'Where the sign-in came from.' }),
    user_agent: z.string().optional().openapi({ description: 'The browser, as it calls itself.' }),
  })
  .openapi('Session');
export type Session = z.output<typeof sessionSchema>;

export const ownSessionSchema = z
  .strictObject({
    ...sessionFields,
    role_title: z.string().openapi({ description: 'The role as people read it: "Billing Admin".' }),
    grants: z.array(z.string()).openapi({ description: 'What the role includes: "read", "write", "administer" …' }),
  })
  .openapi('OwnSession');
export type OwnSession = z.output<typeof ownSessionSchema>;

export const sessionPageSchema = z
  .strictObject({ data: z.array(sessionSchema), meta: pageMetaSchema })
  .openapi('SessionPage');
export type SessionPage = z.output<typeof sessionPageSchema>;

export const signInStateSchema = z
  .strictObject({
    methods: z
      .array(
        z.strictObject({
          method: methodSchema,
          name: z.string().optional().openapi({ description: 'What the provider is called on the sign-in page.' }),
          start_path: z.string().optional().openapi({ description: 'Where the browser has to go to sign in.' }),
        }),
      )
      .openapi({ description: 'How one can sign in here.' }),
    session: ownSessionSchema.optional().openapi({ description: 'Whose session the browser has; absent: none.' }),
    session_ended: z.literal(true).optional().openapi({ description: 'The browser had one that is over.' }),
  })
  .openapi('SignInState');
export type SignInState = z.output<typeof signInStateSchema>;

export const endedSessionsSchema = z
  .strictObject({ ended: z.int().openapi({ description: 'How many sessions there were.' }) })
  .openapi('EndedSessions');
