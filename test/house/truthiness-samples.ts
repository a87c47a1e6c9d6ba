import type { Decimal } from '../../backend/platform/decimal.ts';

/** What test/house/types.test.ts looks for: the lines that end in "found", and no others. */
export function samples(
  number: number,
  text: string | undefined,
  decimal: Decimal,
  digits: bigint,
  flag: boolean | undefined,
  object: { atMs?: number } | undefined,
  kind: 'a' | 'b' | undefined,
) {
  const pick = (a: unknown, b?: unknown) => a ?? b;
  if (number) pick(1); // found
  if (flag && number) pick(1); // found
  if (!text) pick(1); // found
  if (decimal) pick(1); // found
  while (digits) pick(1); // found
  pick(number || 1); // found
  pick(object?.atMs || 1); // found
  pick(text && 1); // found
  pick(number > 1 && text ? 1 : 2); // found
  pick(Boolean(text)); // found
  pick([number].filter(Boolean)); // found
  pick({ ...(text && { text }) }); // found
  let last = text;
  last ||= 'none'; // found
  if (flag) pick(1);
  if (object) pick(object.atMs ?? 1);
  if (kind) pick(kind);
  if (number !== 0 && text !== undefined) pick(text ?? '');
  pick([flag].filter(Boolean));
  pick([number].sort((a, b) => a - b || `${a}`.localeCompare(`${b}`)));
  pick(flag || number);
  return pick(last);
}
