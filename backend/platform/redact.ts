import { mapInSlices } from './in-slices.ts';
import { isJsonObject, isRawJson } from './json.ts';
import { isLongJson } from './json-pieces.ts';

/** What stands where a secret was. */
const REDACTED = '[redacted]';

/** Our own tokens and keys of Stripe, wherever they stand: in a path, a message, a free text. */
const TOKEN = /\b(?:[sk]pat_|[sr]k_(?:test|live)_|whsec_)[\w-]{8,}/g;
/** Names of fields and headers that hold secrets; `token_type` and `input_per_token` are none. Headers of one's own often do. */
const SECRET_NAME =
  /^(?:[\w-]*[_-])?(?:secret|password|passwd|authorization|api[_-]?key|private[_-]?key|credentials?|custom_headers|(?<!per[_-])token)$/i;
/** Credentials in an address: https://user:password@host. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** None of it: no token, and no credentials. */
const MARKS = ['pat_', '@', 'k_test_', 'k_live_', 'whsec_'];

/** The text without tokens and credentials in addresses. */
export function redactText(text: string): string {
  // Nearly every text: a path in the log, a problem.
  if (!MARKS.some((mark) => text.includes(mark))) return text;
  return text.replace(TOKEN, REDACTED).replace(USER_INFO, `$1${REDACTED}@`);
}

/** A copy of JSON without secrets: fields that are named so, and tokens wherever they stand. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (!isJsonObject(value) || isRawJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, SECRET_NAME.test(name) ? redactNamed(child) : redact(child)]),
  );
}

/** As `redact`, but others have their turn of the event loop when it is long. */
export async function redactInSlices(value: unknown): Promise<unknown> {
  if (!isLongJson(value)) return redact(value);
  if (Array.isArray(value)) return mapInSlices(value, redactInSlices);
  const members: [string, unknown][] = [];
  for (const [name, child] of Object.entries(value)) {
    members.push([name, SECRET_NAME.test(name) ? redactNamed(child) : await redactInSlices(child)]);
  }
  return Object.fromEntries(members);
}

/** Whether there is one is no secret. */
function redactNamed(value: unknown): unknown {
  return value === null || value === undefined || typeof value === 'boolean' ? value : REDACTED;
}
