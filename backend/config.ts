import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConfiguredToken } from './access/access-tokens/index.ts';
import type { SignInSettings } from './access/sign-in/index.ts';
import {
  describeSettings,
  type Environment,
  misspeltVariables,
  readSettings,
  type Settings,
} from './settings/index.ts';
import { readTokensFile } from './settings/tokens-file.ts';

/** The backend's settings, checked. */
export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** postgres://…: there instead of in files; undefined: files of `dataDir`. */
  databaseUrl: string | undefined;
  /** What a start that found less than was answered for has printed: the next one goes on without it. */
  acceptDataLoss: string | undefined;
  logLevel: string;
  maxBodyBytes: number;
  /** Of one event's data as JSON. */
  maxEventDataBytes: number;
  /** Of all bodies whose requests are not answered yet. */
  maxBodyBytesInFlight: number;
  shutdownTimeoutMs: number;
  /** How long a connection without a request stays open. */
  keepAliveTimeoutMs: number;
  /** Requests a minute of each token; undefined: as many as it likes. */
  requestsAMinute: number | undefined;
  /** By more than this the machine's clock cannot have moved in no time. */
  maxClockJumpMs: number;
  /** Events that happened and were stored longer ago are removed; undefined: none. */
  eventRetentionDays: number | undefined;
  /** Entries of the audit log that are older are removed. */
  auditLogRetentionDays: number;
  /** Where the gateway's consumers are read from; undefined: nowhere. */
  kongAdmin: { url: string; token: string | undefined; localAddresses: readonly string[] } | undefined;
  /** A folder with fonts of the operator's, for documents. */
  documentFontsDir: string | undefined;
  /** Where notifications may go besides the open Internet, how long they are listed, what their secrets are sealed with. */
  notifications: { allowedNetworks: readonly string[]; retentionDays: number; secretsKeys: readonly string[] };
  /** "https://api.stripe.com", or what stands before it. */
  stripeApiUrl: string;
  tokens: readonly ConfiguredToken[];
  /** How people sign in, and how browsers reach this server; undefined: as each request says. */
  signIn: SignInSettings;
  /** Bounds of the usage store. */
  usage: { readerThreads: number; maxWaitingQueries: number; queryTimeoutMs: number; maxQueuedEvents: number };
  /** Who may read /metrics besides those who may read everything. */
  metrics: { token: string | undefined; isPublic: boolean };
  /** With less the backend is not ready. */
  minFreeDiskBytes: number;
}

/** Settings are wrong. The message lists every wrong one by its name and rule, a line each, never a value. */
export class ConfigError extends Error {}

/**
 * Reads the settings from the environment and from the file that CONFIG_FILE names; the environment wins. Empty values
 * count as unset. @throws ConfigError with all mistakes
 */
export function loadConfig(environment: Environment = process.env): Config {
  const { config } = read(environment);
  return config;
}

/** What "npm run config-check" shows. @throws ConfigError with all mistakes */
export function checkConfig(environment: Environment = process.env): { effective: string; warnings: string[] } {
  const { effective } = read(environment);
  return { effective, warnings: configWarnings(environment) };
}

/** What is no mistake for sure, but likely one. */
export function configWarnings(environment: Environment = process.env): string[] {
  const misspelt = misspeltVariables(environment).map(
    ({ variable, meant }) => `environment variable ${variable} is no setting; did you mean ${meant}?`,
  );
  const { EVENT_RETENTION_DAYS: days } = readSettings(environment).settings ?? {};
  if (days === undefined || days >= RECOUNTED_DAYS) return misspelt;
  return [
    ...misspelt,
    `EVENT_RETENTION_DAYS is ${days}: where invoices are made, events are kept as long as billing needs them, which is up to ` +
      `${RECOUNTED_DAYS} days after an invoice, and the whole of a period that is not billed yet`,
  ];
}

/** For twice the 100 days in which usage that was billed is looked at again. */
const RECOUNTED_DAYS = 200;

function read(environment: Environment): { config: Config; effective: string } {
  const { settings, origins, problems, texts, file } = readSettings(environment);
  const named = texts.TOKENS_FILE === undefined ? { tokens: [], problems: [] } : readTokensFile(texts.TOKENS_FILE);
  const all = [...problems, ...named.problems, ...fontsProblems(settings?.DOCUMENT_FONTS_DIR)];
  if (settings === undefined || all.length > 0) throw new ConfigError(all.join('\n'));
  const heading = file === undefined ? '' : `# CONFIG_FILE is ${file}\n`;
  return {
    config: toConfig(settings, named.tokens),
    effective: heading + describeSettings(settings, origins),
  };
}

function fontsProblems(folder: string | undefined): string[] {
  const isThere = folder === undefined || statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isThere ? [] : ['DOCUMENT_FONTS_DIR must be a folder that exists'];
}

function toConfig(settings: Settings, namedTokens: readonly ConfiguredToken[]): Config {
  return {
    host: settings.HOST,
    port: settings.PORT,
    dataDir: resolve(settings.DATA_DIR),
    databaseUrl: settings.DATABASE_URL,
    acceptDataLoss: settings.ACCEPT_DATA_LOSS,
    logLevel: settings.LOG_LEVEL,
    maxBodyBytes: settings.MAX_BODY_BYTES,
    maxEventDataBytes: settings.MAX_EVENT_DATA_BYTES,
    maxBodyBytesInFlight: settings.MAX_BODY_BYTES_IN_FLIGHT,
    shutdownTimeoutMs: settings.SHUTDOWN_TIMEOUT_MS,
    keepAliveTimeoutMs: settings.KEEP_ALIVE_TIMEOUT_MS,
    requestsAMinute: settings.RATE_LIMIT_PER_TOKEN_PER_MINUTE,
    maxClockJumpMs: settings.MAX_CLOCK_JUMP_HOURS * 3_600_000,
    eventRetentionDays: settings.EVENT_RETENTION_DAYS,
    documentFontsDir: settings.DOCUMENT_FONTS_DIR,
    stripeApiUrl: settings.STRIPE_API_URL,
    auditLogRetentionDays: settings.AUDIT_LOG_RETENTION_DAYS,
    kongAdmin:
      settings.KONG_ADMIN_URL !== undefined
        ? {
            url: settings.KONG_ADMIN_URL,
            token: settings.KONG_ADMIN_TOKEN,
            localAddresses: settings.OUTGOING_LOCAL_ADDRESSES,
          }
        : undefined,
    notifications: {
      allowedNetworks: settings.NOTIFICATION_ALLOWED_NETWORKS,
      retentionDays: settings.NOTIFICATION_RETENTION_DAYS,
      secretsKeys: settings.SECRETS_KEY,
    },
    tokens: [
      ...tokenOf('ADMIN_TOKEN', 'admin', settings.ADMIN_TOKEN),
      ...tokenOf('INGEST_TOKEN', 'ingest', settings.INGEST_TOKEN),
      ...tokenOf('VIEWER_TOKEN', 'viewer', settings.VIEWER_TOKEN),
      ...tokenOf('ENFORCEMENT_TOKEN', 'enforcement', settings.ENFORCEMENT_TOKEN),
      ...namedTokens,
    ],
    signIn: toSignIn(settings),
    usage: {
      readerThreads: settings.READER_THREADS,
      maxWaitingQueries: settings.MAX_WAITING_QUERIES,
      queryTimeoutMs: settings.QUERY_TIMEOUT_MS,
      maxQueuedEvents: settings.MAX_QUEUED_EVENTS,
    },
    metrics: { token: settings.METRICS_TOKEN, isPublic: settings.METRICS_PUBLIC },
    minFreeDiskBytes: settings.MIN_FREE_DISK_BYTES,
  };
}

function tokenOf(name: string, role: 'admin' | 'ingest' | 'viewer' | 'enforcement', token: string | undefined) {
  return token === undefined || token === '' ? [] : [{ name, role, token }];
}

function toSignIn(settings: Settings): SignInSettings {
  const shared = { publicUrl: settings.PUBLIC_URL, sessionHours: settings.SESSION_HOURS };
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = settings;
  if (issuer === undefined || clientId === undefined) return shared;
  return {
    ...shared,
    oidc: {
      issuer,
      clientId,
      clientSecret: settings.OIDC_CLIENT_SECRET,
      name: settings.OIDC_NAME,
      scopes: settings.OIDC_SCOPES,
      roleClaim: settings.OIDC_ROLE_CLAIM,
      roles: settings.OIDC_ROLES,
      localAddresses: settings.OUTGOING_LOCAL_ADDRESSES,
    },
  };
}
