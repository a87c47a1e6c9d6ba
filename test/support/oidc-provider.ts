import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT = { id: 'metering', secret: 'secret-of-the-client-0123456789' };

export interface TestProvider {
  issuer: string;
  /** What the provider tells of people who sign in from now on, by their login. */
  people: Map<string, Record<string, unknown>>;
  stop(): Promise<void>;
}

/** A real provider of OpenID Connect on the loopback interface; whoever types a login is let in by that name. */
export async function startOidcProvider(redirectUri: string): Promise<TestProvider> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people: TestProvider['people'] = new Map();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    pkce: { required: () => true },
    // Of the scope "profile": the ID token has none of them, whoever wants them asks.
    claims: { openid: ['sub'], profile: ['name', 'groups'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    // Each said, or it warns of its own.
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
    cookies: { keys: ['for-tests-only'] },
    features: { devInteractions: { enabled: true } },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    people,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A browser without pages: keeps cookies, goes where it is sent. */
export function createJar() {
  const cookies = new Map<string, string>();
  return {
    header: () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    take: (headers: Headers) => {
      for (const text of headers.getSetCookie()) {
        const [pair = ''] = text.split(';', 1);
        const at = pair.indexOf('=');
        if (/Max-Age=0|01 Jan 1970/.test(text)) cookies.delete(pair.slice(0, at));
        else cookies.set(pair.slice(0, at), pair.slice(at + 1));
      }
    },
  };
}

/**
 * Signs in at the provider, as its form is filled, and agrees.
 * @returns the address that the provider sends the browser back to
 */
export async function passProvider(start: string, login: string | undefined): Promise<string> {
  const jar = createJar();
  const origin = new URL(start).origin;
  const go = async (url: string, form?: Record<string, string>) => {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { Cookie: jar.header() },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    jar.take(response.headers);
    return { location: response.headers.get('location'), page: await response.text() };
  };
  let { location, page } = await go(start);
  while (location?.startsWith(origin) || location?.startsWith('/') || location === null) {
    if (location !== null) ({ location, page } = await go(new URL(location, origin).href));
    else if (login === undefined) ({ location, page } = await go(linkIn(page, 'abort')));
    else {
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? 'nothing';
      const form = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt };
      ({ location, page } = await go(/action="([^"]+)"/.exec(page)?.[1] ?? '', form));
    }
  }
  return location;
}

function linkIn(page: string, word: string): string {
  return new RegExp(`href="([^"]*/${word})"`).exec(page)?.[1] ?? '';
}
