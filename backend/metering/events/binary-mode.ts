import type { HttpContext } from '../../platform/http/router.ts';

const PREFIX = 'ce-';

/**
 * An event's attributes where they stand in headers (CloudEvents HTTP binding, binary mode): `ce-id`, `ce-source` and so
 * on. Undefined for other requests.
 */
export function attributesInHeaders(c: HttpContext): Record<string, string> | undefined {
  if (c.req.header('ce-id') === undefined && c.req.header('ce-specversion') === undefined) return undefined;
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(c.req.header())) {
    if (!name.startsWith(PREFIX)) continue;
    attributes[name.slice(PREFIX.length)] = decoded(value);
  }
  return attributes;
}

/** The binding's 3.1.3.2: what headers cannot carry is percent-encoded UTF-8; a value in quotes is what stands in them. */
function decoded(value: string): string {
  const plain = /^"(.*)"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  try {
    return plain.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => decodeURIComponent(escapes));
  } catch {
    // Senders that do not encode write a percent sign as it is.
    return plain;
  }
}
