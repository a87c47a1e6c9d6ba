import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AccessTokens } from '../access/access-tokens/index.ts';
import type { AuditLog } from '../access/audit-log/index.ts';
import type { SignInSettings } from '../access/sign-in/index.ts';
import type { BillingRuns } from '../billing/billing-runs/index.ts';
import type { DocumentLimits } from '../billing/invoice-documents/index.ts';
import type { Invoices } from '../billing/invoices/index.ts';
import type { KongAdminSettings } from '../customers/usage-sources/index.ts';
import type { UsageStore } from '../metering/usage-store/index.ts';
import type { MachineClock } from '../monitoring/machine-clock/index.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import type { Sender } from '../notifications/deliveries/index.ts';
import type { EntitlementEvents } from '../notifications/entitlement-events/index.ts';
import type { Outgoing } from '../payments/outgoing/index.ts';
import type { StripeSettings } from '../payments/stripe/index.ts';
import type { BodyBudget } from '../platform/http/body-budget.ts';
import type { AppEnv } from '../platform/http/env.ts';
import type { JobLog } from '../platform/job-log.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { DatabaseServer } from '../platform/postgres/server.ts';
import type { Scope, ScopeParts } from '../platform/scope.ts';

/** What the application is made of. */
export interface AppParts extends ScopeParts {
  usage: UsageStore;
  tokens: AccessTokens;
  /** How people sign in. */
  signIn?: SignInSettings | undefined;
  /** Where the gateway's consumers are read from; undefined: nowhere. */
  kongAdmin?: KongAdminSettings | undefined;
  maxBodyBytes: number;
  /** Of one event's data; undefined: 64 KiB. */
  maxEventDataBytes?: number | undefined;
  /** Of all bodies whose requests are not answered yet; never less than one body's. */
  maxBodyBytesInFlight?: number | undefined;
  /** Of each token; undefined: as many as it likes. */
  requestsAMinute?: number | undefined;
  /** What counts how the backend does, and who may see it besides those who may read everything. */
  metrics?: Metrics | undefined;
  metricsAccess?: MetricsAccess | undefined;
  /** How work without requests went. */
  jobs?: JobLog | undefined;
  /** Whether the machine's clock is believed; undefined: nobody watches it. */
  machineClock?: Pick<MachineClock, 'state' | 'confirm'> | undefined;
  /** Where the databases are; undefined: the disk is not watched. */
  disk?: { dataDir: string; minFreeBytes: number } | undefined;
  /** Whether this backend does what one of all has to do; undefined: there is no other. */
  leadership?: Leadership | undefined;
  /** Of a database on a server; undefined: it is in files. */
  server?: DatabaseServer | undefined;
  /** A folder with fonts of the operator's, for documents; undefined: there is none. */
  documentFontsDir?: string | undefined;
  /** Of the thread that makes documents; undefined: its own. */
  documentLimits?: DocumentLimits | undefined;
  /** Whom notifications may be sent to, and what their secrets are sealed with; undefined: the defaults. */
  notifications?: NotificationSettings | undefined;
  /** What secrets are sealed with: see `createSecretBox`; undefined: with nothing. */
  secretsKeys?: readonly string[] | undefined;
  /** Where Stripe is, and how fast it is called. */
  stripe?: Partial<StripeSettings> | undefined;
  version: string;
  /** Folder of the built console, served at "/"; none: only the API. */
  consoleDir?: string | undefined;
}

export interface NotificationSettings {
  /** Addresses and ranges that are no public ones and may be reached all the same. */
  allowedNetworks?: readonly string[];
  /** Of an attempt. */
  timeoutMs?: number;
  /** See `createSecretBox`. */
  secretsKeys?: readonly string[];
}

/** The same with the scope that the modules' services work in. */
export interface Parts extends AppParts {
  scope: Scope;
}

export interface MetricsAccess {
  /** A token that opens nothing else. */
  token?: string | undefined;
  isPublic: boolean;
}

export type App = OpenAPIHono<AppEnv>;

/** The application, and what works besides answering requests. */
export interface Backend {
  app: App;
  invoices: Invoices;
  billingRuns: BillingRuns;
  auditLog: AuditLog;
  notifications: {
    sender: Sender;
    thresholds: Pick<EntitlementEvents, 'evaluateDue' | 'evaluateAll' | 'schedule'>;
    /** Removes some of what is older. */
    expire(days: number): Promise<{ removed: number; state: 'more' | 'done' }>;
    close(): Promise<void>;
  };
  /** What is done in the systems of apps. */
  outgoing: Outgoing;
  /** From when on events are needed one by one, by whoever counts with them; undefined: none are. */
  usageNeededFromMs(): Promise<number | undefined>;
  /** Bytes of requests that are being worked on. */
  bodies: BodyBudget;
}
