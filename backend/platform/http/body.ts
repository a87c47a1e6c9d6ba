import type { Context } from 'hono';
import { RequestProblem } from '../errors.ts';
import { type JsonBounds, parseJsonBytes } from '../json.ts';
import { readBody } from './body-reader.ts';
import type { AppEnv } from './env.ts';

/**
 * What a body may have that describes one thing: an invoice of a thousand lines, a plan of hundreds of rate cards. Checked
 * before it is parsed, so that none takes longer than a tenth of a second.
 */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_VALUES = 50_000;
/** No object of ours has a hundred: free-form ones, such as labels, are bounded far below. */
const MAX_KEYS = 1000;

/** The media type of the request in lower case, without parameters; undefined when missing or unreadable. */
export function mediaType(c: Context<AppEnv>): string | undefined {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type !== undefined && /^[^\s/]+\/[^\s/]+$/.test(type) ? type : undefined;
}

/**
 * Reads the body as JSON, whatever its media type says. 400 with the reason when it is not.
 * @param options.isExact whether numbers are kept as written; costs more, so only for figures
 */
export async function readJsonBody(c: Context<AppEnv>, options: Pick<JsonBounds, 'isExact'> = {}): Promise<unknown> {
  const parsed = parseJsonBytes(await readBody(c, MAX_BYTES), { ...options, maxValues: MAX_VALUES, maxKeys: MAX_KEYS });
  if ('problem' in parsed) {
    const reason =
      parsed.problem === 'too many values'
        ? `must have at most ${MAX_VALUES} values`
        : `${parsed.problem}: ${parsed.detail}`;
    throw new RequestProblem('bad-request', reason, [{ field: 'body', rule: 'invalid', reason, source: 'body' }]);
  }
  return parsed.value;
}
