import type { Context } from 'hono';
import { RequestProblem } from '../errors.ts';
import { parseJsonBytes } from '../json.ts';
import type { AppEnv } from './env.ts';

/** The media type of the request in lower case, without parameters; undefined when missing or unreadable. */
export function mediaType(c: Context<AppEnv>): string | undefined {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type !== undefined && /^[^\s/]+\/[^\s/]+$/.test(type) ? type : undefined;
}

/** Reads the body as JSON, whatever its media type says. 400 with the reason when it is not. */
export async function readJsonBody(c: Context<AppEnv>): Promise<unknown> {
  const parsed = parseJsonBytes(new Uint8Array(await c.req.arrayBuffer()));
  if ('problem' in parsed) {
    const reason = `${parsed.problem}: ${parsed.detail}`;
    throw new RequestProblem('bad-request', reason, [{ field: 'body', rule: 'invalid', reason, source: 'body' }]);
  }
  return parsed.value;
}
