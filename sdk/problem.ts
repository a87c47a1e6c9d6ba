/** A rule that a field of the request breaks, in the server's words. */
export interface InvalidParameter {
  /** Path of the field: "usage_attribution.subject_keys.0". */
  field: string;
  reason: string;
  /** Where in the request: "body", "query", "path". */
  source?: string | undefined;
}

/** The server refused a call. */
export class ApiProblem extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The body of the refusal: a problem document as the API has them, a text where something else answered. */
  readonly problem: unknown;
  /** What was wrong, in the server's words. */
  readonly detail: string;
  readonly invalidParameters: readonly InvalidParameter[];

  constructor(call: string, status: number, problem: unknown) {
    const detail = detailOf(problem);
    const invalidParameters = invalidParametersOf(problem);
    const fields = invalidParameters.map(({ field, reason }) => `; ${field}: ${reason}`);
    super(`${call}: ${status}: ${detail}${fields.join('')}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.problem = problem;
    this.detail = detail;
    this.invalidParameters = invalidParameters;
  }
}

interface Result<Data> {
  data?: Data | undefined;
  error?: unknown;
  response: Response;
}

/**
 * The answer of a call: `const meter = await answerOf(client.GET(…))`.
 * @throws ApiProblem when the server refused it @throws TypeError when it cannot be reached
 */
export async function answerOf<Data>(call: Promise<Result<Data>>): Promise<Data> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ApiProblem(pathOf(response.url), response.status, error);
  return data as Data;
}

/** What was called, without what a query may name. */
function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}

/** An error page of something in between can be of any length. */
const MAX_TEXT_LENGTH = 200;

function detailOf(problem: unknown): string {
  if (typeof problem === 'string') return problem.slice(0, MAX_TEXT_LENGTH);
  const words = isRecord(problem) ? (problem['detail'] ?? problem['title']) : undefined;
  return typeof words === 'string' ? words : 'no more is known';
}

function invalidParametersOf(problem: unknown): InvalidParameter[] {
  const list = isRecord(problem) ? problem['invalid_parameters'] : undefined;
  return Array.isArray(list) ? list.filter(isInvalidParameter) : [];
}

function isInvalidParameter(value: unknown): value is InvalidParameter {
  return isRecord(value) && typeof value['field'] === 'string' && typeof value['reason'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
