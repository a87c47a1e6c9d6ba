import { z } from 'zod';
import { CatalogError, catalogError } from './errors.ts';
import { parseExactJson } from './exact-json.ts';

/** The public API, as far as the catalog needs it. Paths are below `/v3/openmeter`. */
export interface ApiClient {
  get(path: string): Promise<unknown>;
  /** All items of a list, page after page. */
  list(path: string): Promise<unknown[]>;
  send(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

/** The server answered with a problem. */
export class ApiProblem extends CatalogError {
  readonly status: number;

  constructor(status: number, problems: CatalogError['problems']) {
    super(problems);
    this.status = status;
  }
}

const PAGE_SIZE = 100;
/** A list that goes on after this many pages never ends. */
const MAX_PAGES = 10_000;
/** Nothing that is asked here takes a server this long. */
const TIMEOUT_MS = 30_000;

const pageSchema = z.object({ data: z.array(z.unknown()) });
const problemSchema = z.object({
  detail: z.string().optional(),
  title: z.string().optional(),
  invalid_parameters: z
    .array(z.object({ field: z.string(), reason: z.string(), source: z.string().optional() }))
    .optional(),
});

/** @param url of the server, without the path of the API @param token sent as a bearer token; undefined sends none */
export function createApiClient(url: string, token: string | undefined): ApiClient {
  const base = `${url.replace(/\/+$/, '')}/v3/openmeter`;

  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await reach(base, path, {
      method,
      headers: {
        Accept: 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw toProblem(`${method} ${path}`, response.status, text);
    if (text === '') return undefined;
    try {
      return parseExactJson(text);
    } catch {
      throw catalogError(`${base}${path} does not answer with JSON: is this the URL of the backend?`);
    }
  };

  return {
    get: (path) => request('GET', path),
    send: request,
    list: async (path) => {
      const items: unknown[] = [];
      for (let number = 1; number <= MAX_PAGES; number++) {
        const page = pageSchema.parse(await request('GET', `${path}?page[size]=${PAGE_SIZE}&page[number]=${number}`));
        items.push(...page.data);
        if (page.data.length < PAGE_SIZE) return items;
      }
      throw catalogError(`${path} has more than ${MAX_PAGES} pages`);
    },
  };
}

async function reach(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${base}${path}`, init);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw catalogError(`cannot reach ${base}: ${cause}`);
  }
}

/** What is wrong, field by field where the server says so; the fields are those of the request's body. */
function toProblem(what: string, status: number, text: string): ApiProblem {
  const problem = problemSchema.safeParse(safeJson(text)).data;
  const ofBody = (problem?.invalid_parameters ?? []).filter(
    ({ source, field }) => source === 'body' && field !== 'body',
  );
  if (ofBody.length > 0) {
    return new ApiProblem(
      status,
      ofBody.map(({ field, reason }) => ({ path: toPath(field), message: reason })),
    );
  }
  if (status === 401)
    return new ApiProblem(status, [{ message: 'the token is missing or not known: set METERING_TOKEN' }]);
  const detail = problem?.detail ?? problem?.title ?? text.slice(0, 200);
  return new ApiProblem(status, [{ message: `${what}: ${status}: ${detail}` }]);
}

function toPath(field: string): (string | number)[] {
  return field.split('.').map((step) => (/^\d+$/.test(step) ? Number.parseInt(step, 10) : step));
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
