import { createHash } from 'node:crypto';
import * as oidc from 'openid-client';
import { clientAddress } from '../../../platform/http/client-address.ts';
import type { Caller } from '../../../platform/http/env.ts';
import { queryOf } from '../../../platform/http/query.ts';
import { text } from '../../../platform/http/query-parts.ts';
import type { HttpContext, Router } from '../../../platform/http/router.ts';
import { idOfHash } from '../../../platform/ids.ts';
import { redactText } from '../../../platform/redact.ts';
import { clientOf, giveCookie, SIGN_IN_TAG, type SignInParts } from '../routes.ts';
import type { Owner } from '../sessions.ts';
import { flowCookie } from './flow-cookie.ts';
import { type Claims, createOidcProvider, type OidcSettings } from './provider.ts';
import { returnPath, type SignInFailure, withOutcome } from './return-to.ts';
import { roleOfClaims } from './role-of-claims.ts';

export const OIDC_START = '/sign-in/oidc';
const CALLBACK = `${OIDC_START}/callback`;
const MAX_NAME_LENGTH = 256;

interface OidcParts extends SignInParts {
  settings: OidcSettings;
  /** The origin that browsers know, and the path before ours. */
  publicUrl: string;
  basePath: string;
}

/** Registers the two steps of signing in over OpenID Connect: both are addresses that a browser goes to. */
export function oidcRoutes(router: Router, parts: OidcParts): void {
  const { settings, publicUrl, basePath } = parts;
  const redirectUri = `${publicUrl}${basePath}${CALLBACK}`;
  const provider = createOidcProvider(settings, parts.scope.clock);
  const flows = flowCookie(publicUrl);
  const goBack = (c: HttpContext, returnTo: string, failure: SignInFailure) => {
    // Each failed one may have cost a request to the provider.
    parts.limits?.wrongToken(clientAddress(c));
    return c.redirect(withOutcome(returnTo, failure), 302);
  };
  router.endpoint(
    {
      method: 'get',
      path: OIDC_START,
      operationId: 'start-oidc-sign-in',
      tag: SIGN_IN_TAG,
      summary: 'Sign in over OpenID Connect',
      description: 'For browsers: leads to the provider. There is no such path where it is not set up.',
      access: 'public',
      query: queryOf({ returnTo: text('return_to', 'Page of this server to come back to; default "/".') }),
      responses: { 302: { description: 'To the provider, or back with `sign_in=failed`.' } },
    },
    async ({ c, query }) => {
      const returnTo = returnPath(query.returnTo, publicUrl);
      try {
        const { url, flow } = await provider.start(redirectUri);
        flows.set(c, { ...flow, returnTo });
        return c.redirect(url, 302);
      } catch (error) {
        parts.scope.log.warn({ reason: reasonOf(error) }, 'the OpenID Connect provider could not be asked');
        return goBack(c, returnTo, 'failed');
      }
    },
  );
  router.endpoint(
    {
      method: 'get',
      path: CALLBACK,
      operationId: 'finish-oidc-sign-in',
      tag: SIGN_IN_TAG,
      summary: 'Come back from the provider',
      description: 'For browsers: the redirect URI that the provider has to know.',
      access: 'public',
      responses: {
        302: { description: 'To the page that was asked for; without a session with `sign_in` that says why.' },
      },
    },
    async ({ c }) => {
      const flow = flows.take(c);
      if (flow === undefined) return goBack(c, '/', 'expired');
      const returnTo = returnPath(flow.returnTo, publicUrl);
      let claims: Claims;
      try {
        claims = await provider.finish(new URL(`${redirectUri}${new URL(c.req.url).search}`), flow);
      } catch (error) {
        const isDenied = error instanceof oidc.AuthorizationResponseError && error.error === 'access_denied';
        if (!isDenied) parts.scope.log.warn({ reason: reasonOf(error) }, 'a sign-in over OpenID Connect failed');
        return goBack(c, returnTo, isDenied ? 'denied' : 'failed');
      }
      const owner = ownerOf(claims, settings);
      if (owner === undefined) return goBack(c, returnTo, 'no_role');
      await begin(c, owner, parts);
      return c.redirect(returnTo, 302);
    },
  );
}

/** Begins the session, with an entry in the audit log as other changes have one. */
async function begin(c: HttpContext, owner: Owner, { sessions, cookie, scope, recorder }: OidcParts): Promise<void> {
  const caller: Caller = { tokenId: owner.id, tokenName: owner.name, role: owner.role };
  const end = await recorder.begin({
    caller,
    clientAddress: clientAddress(c),
    requestId: c.get('requestId'),
    operationId: 'finish-oidc-sign-in',
    method: c.req.method,
    path: c.req.path,
    resourceType: 'sessions',
    resourceId: undefined,
  });
  const begun = await sessions.begin(owner, clientOf(c));
  giveCookie(c, cookie, begun, scope.clock.nowMs());
  await end({ status: 302, resourceId: begun.session.id, after: begun.session });
}

/** Who it is: always with the same id, whatever they are called by now. */
function ownerOf(claims: Claims, { roleClaim, roles }: OidcSettings): Owner | undefined {
  const role = roleOfClaims(claims, roleClaim, roles);
  if (role === undefined) return undefined;
  const named = [claims['name'], claims['preferred_username'], claims['email'], claims.sub];
  const name = named.find((text) => typeof text === 'string' && text.trim() !== '') as string;
  const hash = createHash('sha256')
    .update(JSON.stringify([claims.iss, claims.sub]))
    .digest('hex');
  return { method: 'oidc', id: idOfHash(hash), name: name.trim().slice(0, MAX_NAME_LENGTH), role };
}

/** What an operator needs, and no more: errors of the library carry whole answers, with codes and tokens in them. */
function reasonOf(error: unknown): string {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
    return redactText(`the provider answered "${error.error}"`);
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    const errors = error.cause.map(({ scheme, parameters }) => parameters.error ?? scheme);
    return redactText(`the provider answered ${error.status} "${errors.join(', ')}"`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return redactText(`${error instanceof Error ? error.message : String(error)}${cause}`);
}
