/** A rule that a field breaks, in the server's words. */
export interface FieldError {
  /** Path of the field as the API names it: "usage_attribution.subject_keys.0". */
  field: string;
  reason: string;
}

/** A refusal of the API. */
export class ApiProblem extends Error {
  /** HTTP status; 0 when the server was not reached. */
  readonly status: number;
  readonly fields: readonly FieldError[];

  constructor(status: number, message: string, fields: readonly FieldError[]) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/**
 * Keeps one from overwriting what somebody else saved meanwhile.
 * @param read as it was when one began to change it
 * @param now as the server has it
 * @throws ApiProblem 409 that says what was changed and when
 */
export function refuseIfChanged<Thing extends { updated_at: string }>(what: string, read: Thing, now: Thing): void {
  if (read.updated_at === now.updated_at) return;
  const changed = (Object.keys(now) as (keyof Thing)[]).filter(
    (field) => field !== 'updated_at' && JSON.stringify(read[field]) !== JSON.stringify(now[field]),
  );
  const fields =
    changed.length === 0 ? '' : `: ${changed.map((field) => String(field).replaceAll('_', ' ')).join(', ')}`;
  const at = new Date(now.updated_at).toLocaleString();
  throw new ApiProblem(409, `Somebody changed this ${what} at ${at}${fields}. Load it again before you save.`, []);
}

/** Reads a problem document in either of the API's two shapes. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const problem = isRecord(body) ? body : {};
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : undefined;
  const title = typeof problem['title'] === 'string' ? problem['title'] : undefined;
  const listed = [...invalidParameters(problem['invalid_parameters']), ...validationErrors(problem['extensions'])];
  return new ApiProblem(status, detail ?? title ?? `The server answered ${status}.`, listed);
}

function invalidParameters(list: unknown): FieldError[] {
  if (!Array.isArray(list)) return [];
  return list
    .filter(isRecord)
    .map((entry) => ({ field: String(entry['field'] ?? ''), reason: String(entry['reason'] ?? '') }));
}

function validationErrors(extensions: unknown): FieldError[] {
  const list = isRecord(extensions) ? extensions['validationErrors'] : undefined;
  if (!Array.isArray(list)) return [];
  return list
    .filter(isRecord)
    .map((entry) => ({ field: String(entry['field'] ?? ''), reason: String(entry['message'] ?? '') }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
