import { z } from 'zod';
import { answerOf, createClient, itemsOf, ApiProblem as Refusal } from '../sdk/index.ts';
import { CatalogError, catalogError } from './errors.ts';
import { parseExactJson } from './exact-json.ts';

/**
 * The public API, as far as the catalog needs it. Its kinds are treated alike and what comes is checked against the
 * catalog's own schemas, so paths are made of parts and answers have no type. Paths are below `/v3/openmeter`.
 */
export interface ApiClient {
  get(path: string): Promise<unknown>;
  /** All items of a list, page after page. */
  list(path: string): Promise<unknown[]>;
  send(method: Method, path: string, body?: unknown): Promise<unknown>;
}

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The server answered with a problem. */
class ApiProblem extends CatalogError {
  readonly status: number;

  constructor(status: number, problems: CatalogError['problems']) {
    super(problems);
    this.status = status;
  }
}

/** Nothing that is asked here takes a server this long. */
const TIMEOUT_MS = 30_000;

const pageSchema = z.object({ data: z.array(z.unknown()) });

/** @param url of the server, without the path of the API @param token sent as a bearer token; undefined sends none */
export function createApiClient(url: string, token: string | undefined): ApiClient {
  const client = createClient({ url, token, timeoutMs: TIMEOUT_MS });
  const base = `${url.replace(/\/+$/, '')}/v3/openmeter`;

  const request = async (method: 'GET' | Method, path: string, options: object = {}): Promise<unknown> => {
    // As text, since numbers are kept as they were written.
    const init = { parseAs: 'text', ...options };
    let text: unknown;
    try {
      text = await answerOf(
        client.request(method.toLowerCase() as 'get', `/v3/openmeter${path}` as never, init as never),
      );
    } catch (error) {
      if (error instanceof Refusal) throw toProblem(`${method} ${path}`, error);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw catalogError(`cannot reach ${base}: ${cause}`);
    }
    if (text === undefined || text === '') return undefined;
    try {
      return parseExactJson(String(text));
    } catch {
      throw catalogError(`${base}${path} does not answer with JSON: is this the URL of the backend?`);
    }
  };

  return {
    get: (path) => request('GET', path),
    send: (method, path, body) => request(method, path, body === undefined ? {} : { body }),
    list: (path) =>
      Array.fromAsync(itemsOf(async (query) => pageSchema.parse(await request('GET', path, { params: { query } })))),
  };
}

/** What is wrong, field by field where the server says so; the fields are those of the request's body. */
function toProblem(call: string, { status, detail, invalidParameters }: Refusal): ApiProblem {
  const ofBody = invalidParameters.filter(({ source, field }) => source === 'body' && field !== 'body');
  if (ofBody.length > 0) {
    return new ApiProblem(
      status,
      ofBody.map(({ field, reason }) => ({ path: toPath(field), message: reason })),
    );
  }
  if (status === 401)
    return new ApiProblem(status, [{ message: 'the token is missing or not known: set METERING_TOKEN' }]);
  return new ApiProblem(status, [{ message: `${call}: ${status}: ${detail}` }]);
}

function toPath(field: string): (string | number)[] {
  return field.split('.').map((step) => (/^\d+$/.test(step) ? Number.parseInt(step, 10) : step));
}
