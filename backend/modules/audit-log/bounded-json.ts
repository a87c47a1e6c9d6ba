import { isJsonObject } from '../../platform/json.ts';
import { redact } from '../../platform/redact.ts';

/** Three of them stand in an entry. A plan of a hundred rate cards has some 50 kB; most resources have one or two. */
const MAX_BYTES = 65_536;

/**
 * JSON text for the log: without secrets, of bounded size. Of an object that is too large the largest members make way,
 * each for `{"omitted_bytes": n}`, until the rest fits.
 * @returns undefined for undefined
 */
export function toBoundedJson(value: unknown, maxBytes = MAX_BYTES): string | undefined {
  if (value === undefined) return undefined;
  const clean = redact(value);
  const text = JSON.stringify(clean);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  if (!isJsonObject(clean)) return JSON.stringify({ omitted_bytes: bytes });
  const members = Object.entries(clean).map(([name, child]) => ({ name, child, bytes: sizeOf(name, child) }));
  const largestFirst = [...members].sort((a, b) => b.bytes - a.bytes);
  let left = members.reduce((sum, member) => sum + member.bytes, 2);
  for (const member of largestFirst) {
    if (left <= maxBytes) break;
    const omitted = { omitted_bytes: member.bytes };
    left += sizeOf(member.name, omitted) - member.bytes;
    member.child = omitted;
  }
  const cut = JSON.stringify(Object.fromEntries(members.map(({ name, child }) => [name, child])));
  return Buffer.byteLength(cut) <= maxBytes ? cut : JSON.stringify({ omitted_bytes: bytes });
}

function sizeOf(name: string, child: unknown): number {
  return Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(child) ?? 'null') + 2;
}
