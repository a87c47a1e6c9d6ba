import { createClient, type Middleware } from '../../sdk/index.ts';
import { currentSession, endSession, untilSignedIn } from '../session/session.ts';
import { ApiProblem, problemOf } from './problem.ts';

/** Whose request it was: the session may be another one when the answer comes. */
const sentAs = new WeakMap<Request, ReturnType<typeof currentSession>>();

/**
 * The browser puts the session's cookie on each request; here it ends when the server does not know it (any more). What
 * only reads waits for the next sign-in and is sent again; what changes something is refused: whether it is still wanted is
 * for people to say.
 */
const authentication: Middleware = {
  onRequest({ request }) {
    sentAs.set(request, currentSession());
  },
  async onResponse({ request, response }) {
    let answer = response;
    for (let session = sentAs.get(request); answer.status === 401 && session !== undefined; ) {
      endSession(session);
      if (request.method !== 'GET') break;
      await untilSignedIn(request.signal);
      session = currentSession();
      answer = await fetch(new Request(request));
    }
    return answer;
  },
};

/** The public API, typed by the server's own OpenAPI document. There is no other way from the console to the backend. */
export const api = createClient({ url: window.location.origin });
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
  if (result.response.status === 401) throw new ApiProblem(401, 'Your session has ended. Sign in, and try again.', []);
  if (!result.response.ok) throw problemOf(result.response.status, result.error);
  return result.data as Data;
}
