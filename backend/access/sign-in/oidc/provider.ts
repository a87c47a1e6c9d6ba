import * as oidc from 'openid-client';
import { fetch as undiciFetch } from 'undici';
import type { Clock } from '../../../platform/clock.ts';
import { outgoingPolicy } from '../../../platform/http/outgoing-address.ts';
import { createOutgoingAgent } from '../../../platform/http/outgoing-agent.ts';
import { hasClaim, type RoleMapping } from './role-of-claims.ts';

/** Where people sign in. */
export interface OidcSettings {
  /** "https://id.example.com/realms/main". */
  issuer: string;
  clientId: string;
  /** None: a public client, which PKCE alone protects. */
  clientSecret?: string | undefined;
  /** What the provider is called on the sign-in page. */
  name: string;
  scopes: string;
  roleClaim: string;
  roles?: RoleMapping | undefined;
  /** Addresses of the machine itself or its local link that the provider may have; see outgoing-address.ts. */
  localAddresses?: readonly string[] | undefined;
}

/** What a browser keeps while it is at the provider. */
export interface Flow {
  state: string;
  nonce: string;
  verifier: string;
}

export type Claims = Readonly<Record<string, unknown>> & { sub: string; iss: string };

/** A provider of OpenID Connect: authorization code with PKCE, state and nonce; ID tokens by their signature. */
export interface OidcProvider {
  /** Where the browser has to go. @throws when the provider cannot be reached */
  start(redirectUri: string): Promise<{ url: string; flow: Flow }>;
  /**
   * Who came back.
   * @param url the redirect URI with what the provider has put to it
   * @throws when the answer is not for this flow, or the provider refuses, or cannot be reached
   */
  finish(url: URL, flow: Flow): Promise<Claims>;
}

/** Who waits longer for the page of a provider believes it broken. */
const TIMEOUT_MS = 5_000;
/** Tokens with many groups, and a provider's keys, fit several times. */
const MAX_ANSWER_BYTES = 1_048_576;
/** The provider's document is read again after this time; one that could not be read, much sooner. */
const FRESH_MS = 3_600_000;
const FAILED_FRESH_MS = 5_000;
/** Clocks of two machines are never the same. */
const CLOCK_TOLERANCE_SECONDS = 30;

export function createOidcProvider(settings: OidcSettings, clock: Clock): OidcProvider {
  const { issuer, scopes, roleClaim } = settings;
  const discover = discovery(settings);
  let read: { untilMs: number; configuration: Promise<oidc.Configuration> } | undefined;
  const configuration = (): Promise<oidc.Configuration> => {
    const nowMs = clock.nowMs();
    if (read !== undefined && nowMs < read.untilMs && read.untilMs - nowMs <= FRESH_MS) return read.configuration;
    const current = { untilMs: nowMs + FRESH_MS, configuration: discover() };
    current.configuration.catch(() => {
      current.untilMs = nowMs + FAILED_FRESH_MS;
    });
    read = current;
    return current.configuration;
  };
  return {
    start: async (redirectUri) => {
      const flow = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
      const url = oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: scopes,
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, flow };
    },
    finish: async (url, flow) => {
      const known = await configuration();
      const tokens = await oidc.authorizationCodeGrant(known, url, {
        pkceCodeVerifier: flow.verifier,
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('the provider gave no ID token');
      const own = { ...claims, iss: issuer };
      // Many providers keep the ID token small and tell the rest when asked.
      if (hasClaim(own, roleClaim) || known.serverMetadata().userinfo_endpoint === undefined) return own;
      const more = await oidc.fetchUserInfo(known, tokens.access_token, claims.sub);
      return { ...more, ...own };
    },
  };
}

/** Asks through the agent that goes only where it may, for a bounded time and a bounded answer. */
function discovery(settings: OidcSettings): () => Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret, localAddresses = [] } = settings;
  const agent = createOutgoingAgent({
    policy: outgoingPolicy(issuer, localAddresses),
    timeoutMs: TIMEOUT_MS,
    maxResponseBytes: MAX_ANSWER_BYTES,
  });
  const guardedFetch = (url: string, options: object) => undiciFetch(url, { ...options, dispatcher: agent });
  // Plain HTTP is for providers on the machine itself; the settings allow it for nothing else.
  const insecure = issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [];
  return () =>
    oidc.discovery(
      new URL(issuer),
      clientId,
      {
        ...(clientSecret !== undefined && { client_secret: clientSecret }),
        [oidc.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
      },
      clientAuthentication(clientSecret),
      {
        execute: [...insecure, oidc.enableNonRepudiationChecks],
        timeout: TIMEOUT_MS / 1000,
        [oidc.customFetch]: guardedFetch as unknown as oidc.CustomFetch,
      },
    );
}

/** As the provider takes it; `client_secret_basic` is what one takes that says nothing. */
function clientAuthentication(secret: string | undefined): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return taken.includes('client_secret_basic') ? basic(server, ...rest) : post(server, ...rest);
  };
}
