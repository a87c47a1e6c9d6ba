import { z } from 'zod';
import { isAddressRange } from '../platform/http/outgoing-address.ts';
import { PEOPLE_ROLES, type Role } from '../platform/http/roles.ts';
import { isSecretsKey } from '../platform/secrets.ts';

/**
 * Every setting, with its rule and its default. The names are those of environment variables; in CONFIG_FILE the same
 * names stand in lower case. Values reach the rules as text from both, so a setting means the same in either place.
 *
 * Messages name the rule and never the value, which may be a secret.
 */
const token = z.string().min(16, 'must have at least 16 characters').regex(/^\S+$/, 'must not contain blanks');

/** Digits only: what else JavaScript takes for a number ("0x10", "1e3", " ") is a mistake in a setting. */
function wholeNumber(minimum: number, maximum: number) {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, error)
    .transform((text) => Number.parseInt(text, 10))
    .refine((value) => value >= minimum && value <= maximum, error);
}

function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
}

/** "a=b=admin" → ["a=b", "admin"]: distinguished names of directories have equals signs themselves. */
function splitLast(pair: string): [string, string] {
  const at = pair.lastIndexOf('=');
  return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()];
}

const fields = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(8888),
  DATA_DIR: z.string().default('./data'),
  /** Without it everything is in files of DATA_DIR. */
  DATABASE_URL: z
    .string()
    .refine((text) => /^postgres(?:ql)?:\/\/[^/]*\/[^/?#]+/.test(text) && URL.canParse(text), {
      error: 'must be the address of a database, such as postgres://user:password@host:5432/name',
    })
    .optional(),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** For one start: the code that a start which finds too little prints. */
  ACCEPT_DATA_LOSS: z
    .string()
    .regex(/^[0-9a-f]{12}$/, 'must be the code that the start printed')
    .optional(),
  /** 10 MiB hold some 25,000 events of the gateway plugin. */
  MAX_BODY_BYTES: wholeNumber(1024, 1_073_741_824).default(10_485_760),
  /** A hundred times what a gateway sends of a request. More makes lists and figures that read events slow. */
  MAX_EVENT_DATA_BYTES: wholeNumber(1024, 1_048_576).default(65_536),
  /** Six of the largest bodies at a time; what is parsed of them takes some ten times as much. */
  MAX_BODY_BYTES_IN_FLIGHT: wholeNumber(1024, 8_589_934_592).default(67_108_864),
  SHUTDOWN_TIMEOUT_MS: wholeNumber(0, 600_000).default(10_000),
  /** Longer than the 60 s for which Kong and common balancers keep an idle connection: who closes first must not be us. */
  KEEP_ALIVE_TIMEOUT_MS: wholeNumber(0, 3_600_000).default(75_000),
  /** A machine that was off or asleep over a weekend goes on by itself. */
  MAX_CLOCK_JUMP_HOURS: wholeNumber(1, 876_000).default(72),
  EVENT_RETENTION_DAYS: wholeNumber(1, 36_500).optional(),
  /** A gateway sends a few requests a second, a page of the console a dozen at once. */
  RATE_LIMIT_PER_TOKEN_PER_MINUTE: wholeNumber(1, 10_000_000).optional(),
  /** More than a year: what is looked at once a year is still there. */
  AUDIT_LOG_RETENTION_DAYS: wholeNumber(1, 36_500).default(400),
  /** For scripts that no installed font has. */
  DOCUMENT_FONTS_DIR: z.string().min(1, 'must be the path of a folder').optional(),
  /** A working day and its evening: who comes back the next morning signs in again. */
  SESSION_HOURS: wholeNumber(1, 720).default(12),
  /** What browsers have in their address bar; no path. */
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine((text) => URL.canParse(text) && new URL(text).href === `${new URL(text).origin}/`, {
      error: 'must be an origin, such as https://billing.example.com, without a path',
    })
    .transform((text) => new URL(text).origin)
    .optional(),
  /** Each has a connection and a cache of its own; as many queries run at the same time. */
  READER_THREADS: wholeNumber(1, 64).default(2),
  MAX_WAITING_QUERIES: wholeNumber(1, 10_000).default(100),
  /** What a client asks for; billing may take as long as it needs. */
  QUERY_TIMEOUT_MS: wholeNumber(100, 3_600_000).default(60_000),
  /** 100,000 events of a gateway are some 50 MB. */
  MAX_QUEUED_EVENTS: wholeNumber(1, 10_000_000).default(100_000),
  METRICS_TOKEN: token.optional(),
  METRICS_PUBLIC: oneOf(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  /** Room for the write-ahead logs to grow while somebody comes to look. */
  MIN_FREE_DISK_BYTES: wholeNumber(0, 999_999_999_999_999).default(268_435_456),
  /** The only host that is ever asked for consumers. */
  KONG_ADMIN_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine((text) => URL.canParse(text) && new URL(text).username === '', {
      error: 'must not contain credentials: use KONG_ADMIN_TOKEN',
    })
    .refine((text) => URL.canParse(text) && new URL(text).search === '', { error: 'must not have a query' })
    .optional(),
  KONG_ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters')
    .optional(),
  /** For names that lead to the machine itself, as a sidecar's may. */
  OUTGOING_LOCAL_ADDRESSES: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isAddressRange), 'must be addresses or ranges such as 127.0.0.1, fe80::/10')
    .default([]),
  /** For receivers that stand beside this server: they may do without TLS, too. */
  NOTIFICATION_ALLOWED_NETWORKS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isAddressRange), 'must be addresses or ranges such as 10.1.0.0/16, fd00::/8')
    .default([]),
  /** A quarter of a year. */
  NOTIFICATION_RETENTION_DAYS: wholeNumber(1, 36_500).default(90),
  /** The newest first: what is older opens what it sealed. */
  SECRETS_KEY: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((keys) => keys.every(isSecretsKey), 'must be 32 random bytes as base64, or several such, the newest first')
    .default([]),
  /** Another one for what stands before Stripe: a proxy, or a stand-in for trying things out. */
  STRIPE_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .refine((text) => URL.canParse(text) && new URL(text).href === `${new URL(text).origin}/`, {
      error: 'must be an origin, such as https://api.stripe.com, without a path',
    })
    .default('https://api.stripe.com'),
  /** Off without it. */
  OIDC_ISSUER: z
    .url({ protocol: /^https?$/, error: 'must be an https URL, or an http URL of this machine' })
    .refine(
      (text) => !text.startsWith('http:') || /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/.test(text),
      {
        error: 'must be an https URL, or an http URL of this machine',
      },
    )
    .optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET: z.string().optional(),
  OIDC_NAME: z.string().max(64).default('single sign-on'),
  OIDC_SCOPES: z
    .string()
    .regex(/^openid(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must begin with openid, with one blank between scopes')
    .default('openid profile email'),
  OIDC_ROLE_CLAIM: z.string().default('roles'),
  OIDC_ROLES: z
    .string()
    .transform((text) => text.split(',').map((part) => splitLast(part)))
    .refine((pairs) => pairs.every(([value, role]) => value !== '' && PEOPLE_ROLES.some((known) => known === role)), {
      error: `must be pairs such as finance=billing_admin, with the roles ${PEOPLE_ROLES.join(', ')}`,
    })
    .transform((pairs) => pairs as [string, Role][])
    .optional(),
  ADMIN_TOKEN: token.optional(),
  INGEST_TOKEN: token.optional(),
  VIEWER_TOKEN: token.optional(),
  ENFORCEMENT_TOKEN: token.optional(),
  TOKENS_FILE: z.string().optional(),
});

/** What only makes sense together. */
export const settingsSchema = fields.superRefine((settings, context) => {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, PUBLIC_URL } = settings;
  const needed = { OIDC_CLIENT_ID, PUBLIC_URL };
  for (const [name, value] of Object.entries(needed)) {
    if (OIDC_ISSUER === undefined || value !== undefined) continue;
    context.addIssue({ code: 'custom', path: [name], message: 'must be set where OIDC_ISSUER is' });
  }
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(settingsSchema.shape) as SettingName[];

/** Their values are shown to nobody. */
export const SECRET_SETTINGS: ReadonlySet<SettingName> = new Set([
  'SECRETS_KEY',
  'DATABASE_URL',
  'KONG_ADMIN_TOKEN',
  'ADMIN_TOKEN',
  'INGEST_TOKEN',
  'VIEWER_TOKEN',
  'ENFORCEMENT_TOKEN',
  'METRICS_TOKEN',
  'OIDC_CLIENT_SECRET',
]);
