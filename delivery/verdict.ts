/** What the endpoint said, or why it said nothing. */
export type Answer =
  | {
      readonly kind: 'status';
      readonly status: number;
      /** `Retry-After` and `Date` as they came. */
      readonly retryAfter?: string | undefined;
      readonly date?: string | undefined;
      /** The beginning of the body, when the status is not 2xx. */
      readonly excerpt?: string | undefined;
      /** The endpoint judged each event on its own. Its answer names the refused ones. */
      readonly lenient?: LenientAnswer | undefined;
    }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string };

/** The body of a lenient answer; not whole = it broke off, too long = it has more than can be read. */
export type LenientAnswer =
  | { readonly kind: 'whole'; readonly body: string }
  | { readonly kind: 'not whole' }
  | { readonly kind: 'too long' };

/** delivered: forget the events; split: this batch will never pass as it stands; retry: send the same again. */
export type Verdict = 'delivered' | 'split' | 'retry';

/** Statuses that judge the content, so that sending the same bytes again would only be refused again. */
const CONTENT_REFUSED: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * The verdict on one attempt. Whatever is not a clear yes or a clear "your content is wrong" is retried: a redirect, a
 * 404 and a 401 are mistakes of a configuration, which somebody will correct, and the events are worth the wait.
 */
export function verdictOf(answer: Answer): Verdict {
  if (answer.kind === 'failure') return 'retry';
  if (answer.status >= 200 && answer.status < 300) return 'delivered';
  return CONTENT_REFUSED.has(answer.status) ? 'split' : 'retry';
}

/** Whether the endpoint refused the token, which no retry cures until somebody changes one of the two. */
export function isTokenRefused(answer: Answer): boolean {
  return answer.kind === 'status' && (answer.status === 401 || answer.status === 403);
}
