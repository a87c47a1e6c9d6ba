import createFetchClient, { type Client as FetchClient } from 'openapi-fetch';
import type { paths } from './generated/schema.ts';

export type { Middleware } from 'openapi-fetch';

/** What answers are typed as where one can choose: not the tables as CSV. */
type Json = 'application/json' | 'application/problem+json';

/** Every operation of the API by its path, typed: `client.GET('/v3/openmeter/meters')`. */
export type Client = FetchClient<paths, Json>;

/** Whom to call, and as whom. */
export interface ClientOptions {
  /** Of the server, without the path of the API: `http://127.0.0.1:8888`. A slash at its end is left out. */
  url: string;
  /** Sent as a bearer token; undefined sends none, for browsers that have a session. */
  token?: string | undefined;
  /** How long one call may take, its answer included; undefined waits for as long as the platform does. */
  timeoutMs?: number | undefined;
  /** Default: the platform's own. */
  fetch?: ((request: Request, init?: { signal: AbortSignal }) => Promise<Response>) | undefined;
}

/**
 * A client of the API. Its calls answer with `{ data, error, response }` and throw only when the server cannot be reached;
 * `answerOf` makes refusals errors too.
 */
export function createClient({ url, token, timeoutMs, fetch = globalThis.fetch }: ClientOptions): Client {
  return createFetchClient<paths, Json>({
    baseUrl: url.replace(/\/+$/, ''),
    ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    fetch: timeoutMs === undefined ? fetch : (request) => fetch(request, { signal: eitherSignal(request, timeoutMs) }),
  });
}

/**
 * Ends with whatever comes first: the caller's own signal or the time. It is given to `fetch` itself: a request that is made
 * with it and that nobody keeps is collected by Node while it runs, and the signal then ends nothing.
 */
function eitherSignal(request: Request, timeoutMs: number): AbortSignal {
  return AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
}
