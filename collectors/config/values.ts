import { z } from 'zod';

/** Numbers may come from the environment, as texts. */
export const wholeNumber = (least: number, most: number) =>
  z
    .union(
      [
        z.int(),
        z
          .string()
          .regex(/^\d{1,15}$/)
          .transform((text) => Number.parseInt(text, 10)),
      ],
      {
        error: `must be a whole number from ${least} to ${most}`,
      },
    )
    .refine((value) => value >= least && value <= most, { error: `must be a whole number from ${least} to ${most}` });

export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: 'must be true or false',
});

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span such as `100ms`, `15s`, `1m30s`, `48h`, `7d`; as milliseconds. */
export const duration = (leastMs: number, mostMs: number) =>
  z.string({ error: 'must be a span of time such as 15s, 1m30s or 48h' }).transform((text, context) => {
    const ms = millisecondsOf(text);
    if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms;
    const message =
      ms === undefined
        ? 'must be a span of time such as 15s, 1m30s or 48h'
        : `must be from ${leastMs} ms to ${mostMs} ms`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

function millisecondsOf(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    sum += Number.parseInt(count, 10) * (UNITS_MS[unit] ?? 0);
  }
  return sum;
}

/** `host:port`, `:port` and `[::]:port`. Port 0 takes any. */
export const address = z.string({ error: 'must be an address such as 127.0.0.1:4317' }).transform((text, context) => {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number.parseInt(digits, 10);
  if (port <= 65_535) return { host: bracketed ?? (plain === '' ? '0.0.0.0' : plain), port };
  context.addIssue({ code: 'custom', message: 'must be an address such as 127.0.0.1:4317' });
  return z.NEVER;
});

export const httpUrl = z
  .string({ error: 'must be an http or https URL' })
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'must be an http or https URL',
  });

/** What an Authorization header can carry; empty = none. */
export const token = z
  .string({ error: 'must be a token' })
  .regex(/^[\x21-\x7e]*$/, { error: 'has characters that a header cannot carry' })
  .transform((text) => (text === '' ? undefined : text));
