import createClient, { type Middleware } from 'openapi-fetch';
import { endSession } from '../session/session.ts';
import type { paths } from './generated/schema.d.ts';
import { ApiProblem, problemOf } from './problem.ts';

/** The browser puts the session's cookie on each request; here it ends when the server does not know it (any more). */
const authentication: Middleware = {
  onResponse({ response }) {
    if (response.status === 401) endSession();
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
