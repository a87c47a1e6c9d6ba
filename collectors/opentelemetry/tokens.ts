import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a request may speak: it has the token, or none is asked for. Takes as long whatever is wrong. */
export function isAllowed(authorization: string | undefined, token: string | undefined): boolean {
  if (token === undefined) return true;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`));
}
