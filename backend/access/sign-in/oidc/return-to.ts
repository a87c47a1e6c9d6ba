/** Longer addresses of the console do not exist, and the flow's cookie has to stay small. */
const MAX_LENGTH = 1024;

/**
 * Where the browser goes after the sign-in: a page of this server, whatever was asked for.
 * @param asked "/billing/customers?page=2"
 */
export function returnPath(asked: string | undefined, origin: string): string {
  if (asked === undefined || asked.length > MAX_LENGTH || !asked.startsWith('/') || !URL.canParse(asked, origin))
    return '/';
  const url = new URL(asked, origin);
  // "//evil.example" and "/\evil.example" begin with a slash too, and so may what is left of "/..//evil.example".
  return url.origin === origin && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}

/** The same with why nobody is signed in; the sign-in page has the words. */
export function withOutcome(path: string, outcome: SignInFailure): string {
  return `${path}${path.includes('?') ? '&' : '?'}sign_in=${outcome}`;
}

/** `denied`: the person or the provider did not want to · `no_role`: none of the roles · `expired`: begun too long ago, or in another browser · `failed`: anything else. */
export type SignInFailure = 'denied' | 'no_role' | 'expired' | 'failed';
