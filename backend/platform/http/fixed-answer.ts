import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { AppEnv } from './env.ts';

const compress = promisify(gzip);

/** Bytes as they are sent, and what names them. */
interface Variant {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
}

/**
 * An answer that is the same for everybody for as long as the program runs: made when it is first asked for, compressed
 * and hashed once. Who has it already is told so in a few bytes.
 * @param make text or bytes; called once
 * @param headers its type, and what else belongs to it
 */
export function fixedAnswer(
  make: () => string | Uint8Array | Promise<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): (c: Context<AppEnv>) => Promise<Response> {
  let made: Promise<{ plain: Variant; zipped: Variant }> | undefined;
  return async function answer(c) {
    made ??= prepare(make).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    const { plain, zipped } = await made;
    const wantsZipped = acceptsGzip(c.req.header('accept-encoding'));
    const { bytes, etag } = wantsZipped ? zipped : plain;
    const shared = { ETag: etag, Vary: 'Accept-Encoding', 'Cache-Control': 'no-cache', ...headers };
    if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304, shared);
    return c.body(bytes, 200, { ...shared, ...(wantsZipped && { 'Content-Encoding': 'gzip' }) });
  };
}

async function prepare(make: () => string | Uint8Array | Promise<Uint8Array>) {
  const made = await make();
  const bytes = new Uint8Array(typeof made === 'string' ? Buffer.from(made) : made);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const zipped = new Uint8Array(await compress(bytes));
  // Strong validators: other bytes have another name.
  return { plain: { bytes, etag: `"${hash}"` }, zipped: { bytes: zipped, etag: `"${hash}-gzip"` } };
}

function acceptsGzip(header: string | undefined): boolean {
  const codings = header?.toLowerCase().split(',') ?? [];
  return codings.some((coding) => /^\s*gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9]\d*|1\.0*))?\s*$/.test(coding));
}

/** RFC 9110, 13.1.2: compared weakly, since a proxy may have weakened it. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((known) => known.trim().replace(/^W\//, '') === etag);
}
