import { fieldInWords, formatInstant } from '../shared/format.ts';
import { jsonChanges } from '../shared/json-changes.ts';

/** A rule that a field breaks, in the server's words. */
export interface FieldError {
  /** Path of the field as the API names it: "usage_attribution.subject_keys.0". */
  field: string;
  reason: string;
}

/** A field as forms name it: "body.lines[0].name" → "lines.0.name". */
export function fieldPath(field: string): string {
  return field.replace(/\[(\d+)\]/g, '.$1').replace(/^body\./, '');
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
 * @throws ApiProblem 409 that says when, and what was changed from what to what
 */
export function refuseIfChanged<Thing extends { updated_at: string }>(what: string, read: Thing, now: Thing): void {
  if (read.updated_at === now.updated_at) return;
  const changes = jsonChanges(read, now).filter(({ path }) => path !== 'updated_at');
  const told = changes
    .slice(0, MAX_CHANGES_TOLD)
    .map(({ path, before, after }) => `${fieldInWords(path)} from ${before ?? 'nothing'} to ${after ?? 'nothing'}`);
  if (changes.length > told.length) told.push(`and ${changes.length - told.length} more`);
  const all = told.length === 0 ? '' : `: ${told.join('; ')}`;
  const at = `${formatInstant(now.updated_at, false, 'UTC')} UTC`;
  throw new ApiProblem(409, `Somebody changed this ${what} at ${at}${all}. Load it again before you save.`, []);
}

/** Of more changes than these one looks at the thing itself. */
const MAX_CHANGES_TOLD = 5;

/** Reads a problem document in either of the API's two shapes. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const problem = isRecord(body) ? body : {};
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : undefined;
  const title = typeof problem['title'] === 'string' ? problem['title'] : undefined;
  const listed = [...invalidParameters(problem['invalid_parameters']), ...validationErrors(problem['extensions'])];
  // Some refusals are listed in both shapes.
  const fields = [...new Map(listed.map((error) => [`${error.field}\n${error.reason}`, error])).values()];
  return new ApiProblem(status, detail ?? title ?? `The server answered ${status}.`, fields);
}

/** A reason stands under its field: it need not begin with what is wrong, "invalid value property: must start with $". */
function errorOf(field: unknown, reason: unknown): FieldError {
  const [name, text] = [String(field ?? ''), String(reason ?? '')];
  return { field: name, reason: text.replace(/^invalid [a-z ]+: /, '').replace(`${name}: `, '') };
}

function invalidParameters(list: unknown): FieldError[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).map((entry) => errorOf(entry['field'], entry['reason']));
}

function validationErrors(extensions: unknown): FieldError[] {
  const list = isRecord(extensions) ? extensions['validationErrors'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).map((entry) => errorOf(entry['field'], entry['message']));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
