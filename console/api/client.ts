import createClient, { type Middleware } from 'openapi-fetch';
import { currentToken, endSession } from '../session/session.ts';
import type { paths } from './generated/schema.d.ts';
import { ApiProblem, problemOf } from './problem.ts';

/** Puts the token on each request, and ends the session when the server does not know it (any more). */
const authentication: Middleware = {
  onRequest({ request }) {
    const token = currentToken();
    if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) endSession('Your access token is not valid any more. Sign in again.');
  },
};

/** The public API, typed by the server's own OpenAPI document. There is no other way from the console to the backend. */
export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(authentication);

interface Result<Data> {
  data?: Data | undefined;
  error?: unknown;
  response: Response;
}

/**
 * The answer of a call.
 * @throws ApiProblem when the server refused it or could not be reached
 */
export async function call<Data>(request: Promise<Result<Data>>): Promise<Data> {
  let result: Result<Data>;
  try {
    result = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'The server cannot be reached.', []);
  }
  if (!result.response.ok) throw problemOf(result.response.status, result.error);
  return result.data as Data;
}
