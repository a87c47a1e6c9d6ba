import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { ConfiguredToken } from './modules/access-tokens/index.ts';

/** The backend's settings, checked. */
export interface Config {
  host: string;
  port: number;
  dataDir: string;
  logLevel: string;
  maxBodyBytes: number;
  shutdownTimeoutMs: number;
  /** Events that happened and were stored longer ago are removed; undefined: none. */
  eventRetentionDays: number | undefined;
  /** Where the gateway's consumers are read from; undefined: nowhere. */
  kongAdmin: { url: string; token: string | undefined } | undefined;
  tokens: readonly ConfiguredToken[];
}

const role = z.enum(['admin', 'viewer', 'ingest']);
const token = z.string().min(16, 'must have at least 16 characters').regex(/^\S+$/, 'must not contain blanks');

const environmentSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8888),
  DATA_DIR: z.string().min(1).default('./data'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** 10 MiB hold some 25,000 events of the gateway plugin. */
  MAX_BODY_BYTES: z.coerce.number().int().min(1024).max(1_073_741_824).default(10_485_760),
  SHUTDOWN_TIMEOUT_MS: z.coerce.number().int().min(0).max(600_000).default(10_000),
  EVENT_RETENTION_DAYS: z.coerce.number().int().min(1).max(36_500).optional(),
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
  ADMIN_TOKEN: token.optional(),
  INGEST_TOKEN: token.optional(),
  VIEWER_TOKEN: token.optional(),
  TOKENS_FILE: z.string().min(1).optional(),
});

const tokensFileSchema = z.array(
  z
    .strictObject({
      name: z.string().min(1),
      role,
      token: token.optional(),
      token_sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal')
        .optional(),
    })
    .refine((entry) => (entry.token === undefined) !== (entry.token_sha256 === undefined), {
      error: 'must have either token or token_sha256',
    }),
);

/** A setting is wrong. The message lists every wrong one by its name, never a value. */
export class ConfigError extends Error {}

/** Reads the settings from the environment. Empty variables count as unset. @throws ConfigError with all mistakes */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = environmentSchema.safeParse(given);
  if (!result.success) throw new ConfigError(describe('environment variable', result.error));
  const settings = result.data;
  return {
    host: settings.HOST,
    port: settings.PORT,
    dataDir: resolve(settings.DATA_DIR),
    logLevel: settings.LOG_LEVEL,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    shutdownTimeoutMs: settings.SHUTDOWN_TIMEOUT_MS,
    eventRetentionDays: settings.EVENT_RETENTION_DAYS,
    kongAdmin: settings.KONG_ADMIN_URL ? { url: settings.KONG_ADMIN_URL, token: settings.KONG_ADMIN_TOKEN } : undefined,
    tokens: [
      ...(settings.ADMIN_TOKEN ? [{ name: 'ADMIN_TOKEN', role: 'admin' as const, token: settings.ADMIN_TOKEN }] : []),
      ...(settings.INGEST_TOKEN
        ? [{ name: 'INGEST_TOKEN', role: 'ingest' as const, token: settings.INGEST_TOKEN }]
        : []),
      ...(settings.VIEWER_TOKEN
        ? [{ name: 'VIEWER_TOKEN', role: 'viewer' as const, token: settings.VIEWER_TOKEN }]
        : []),
      ...(settings.TOKENS_FILE ? readTokensFile(settings.TOKENS_FILE) : []),
    ],
  };
}

function readTokensFile(path: string): ConfiguredToken[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // A parser's message may quote the file, and the file holds tokens.
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new ConfigError(`TOKENS_FILE ${path} ${reason}`);
  }
  const result = tokensFileSchema.safeParse(content);
  if (!result.success) throw new ConfigError(describe(`TOKENS_FILE ${path}`, result.error));
  return result.data.map(({ name, role, token, token_sha256 }) =>
    token_sha256 === undefined ? { name, role, token: token ?? '' } : { name, role, tokenSha256: token_sha256 },
  );
}

function describe(what: string, error: z.ZodError): string {
  return error.issues.map((issue) => `${what} ${issue.path.join('.')}: ${issue.message}`).join('\n');
}
