import { forEachInSlices } from '../../platform/in-slices.ts';
import { isJsonObject } from '../../platform/json.ts';
import { jsonPieces } from '../../platform/json-pieces.ts';
import { redactInSlices } from '../../platform/redact.ts';

/** Three of them stand in an entry. A plan of a hundred rate cards has some 50 kB; most resources have one or two. */
const MAX_BYTES = 65_536;

/** JSON text, or how long it would be. */
interface Measured {
  bytes: number;
  /** undefined: longer than the bound. */
  text: string | undefined;
}

/**
 * JSON text for the log: without secrets, of bounded size. Of an object that is too large the largest members make way,
 * each for `{"omitted_bytes": n}`, until the rest fits. Others have their turn while a long one is measured.
 * @returns undefined for undefined
 */
export async function toBoundedJson(value: unknown, maxBytes = MAX_BYTES): Promise<string | undefined> {
  if (value === undefined) return undefined;
  const clean = await redactInSlices(value);
  if (!isJsonObject(clean)) {
    const { bytes, text } = await measure(clean, maxBytes);
    return text ?? omitted(bytes);
  }
  const members: (Measured & { name: string })[] = [];
  for (const [name, child] of Object.entries(clean)) {
    if (child === undefined) continue;
    const { bytes, text } = await measure(child, maxBytes);
    members.push({ name, bytes: overheadOf(name) + bytes, text });
  }
  // One comma less than members.
  let left = members.reduce((sum, member) => sum + member.bytes, members.length === 0 ? 2 : 1);
  const whole = left;
  for (const member of [...members].sort((a, b) => b.bytes - a.bytes)) {
    if (left <= maxBytes) break;
    const text = omitted(member.bytes);
    left += overheadOf(member.name) + Buffer.byteLength(text) - member.bytes;
    member.text = text;
  }
  if (left > maxBytes) return omitted(whole);
  return `{${members.map(({ name, text = 'null' }) => `${JSON.stringify(name)}:${text}`).join()}}`;
}

const omitted = (bytes: number): string => JSON.stringify({ omitted_bytes: bytes });

/** A colon and a comma. */
function overheadOf(name: string): number {
  return Buffer.byteLength(JSON.stringify(name)) + 2;
}

async function measure(value: unknown, maxBytes: number): Promise<Measured> {
  let bytes = 0;
  let text = '';
  await forEachInSlices(jsonPieces(value), (piece) => {
    bytes += Buffer.byteLength(piece);
    text = bytes > maxBytes ? '' : text + piece;
  });
  return { bytes, text: bytes > maxBytes ? undefined : text };
}
