import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createAccessTokens } from '../../backend/access/access-tokens/index.ts';
import type { AuditLog } from '../../backend/access/audit-log/index.ts';
import { type App, type AppParts, type Backend, createBackend } from '../../backend/app.ts';
import type { BillingRuns } from '../../backend/billing/billing-runs/index.ts';
import type { Invoices } from '../../backend/billing/invoices/index.ts';
import type { UsageStore } from '../../backend/metering/usage-store/index.ts';
import type { Outgoing } from '../../backend/payments/outgoing/index.ts';
import type { ControlDb } from '../../backend/platform/db/control-db.ts';
import type { BodyBudget } from '../../backend/platform/http/body-budget.ts';
import { createIds } from '../../backend/platform/ids.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { createScope } from '../../backend/platform/scope.ts';
import { contractIsAvailable, contractViolations } from './contract.ts';
import { makeControlPlane, openControlPlane, openUsage } from './control-engine.ts';
import { copyDatabaseTemplate } from './database-template.ts';
import { type TestClock, testClock } from './test-clock.ts';

export const TOKENS = {
  admin: 'test-admin-token-0123456789',
  billing_admin: 'test-billing-admin-token-0123456789',
  viewer: 'test-viewer-token-0123456789',
  ingest: 'test-ingest-token-0123456789',
  enforcement: 'test-enforcement-token-0123456789',
} as const;

/** An answer, read. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; undefined when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and the contract check has typed them
  json: any;
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  rawBody?: string | Uint8Array;
  headers?: Record<string, string>;
  token?: string | null;
}

/** A whole backend on a SQLite file in a folder of its own, called in process. Every answer is held against the contract. */
export interface TestBackend {
  app: App;
  invoices: Invoices;
  billingRuns: BillingRuns;
  notifications: Backend['notifications'];
  outgoing: Outgoing;
  auditLog: AuditLog;
  usageNeededFromMs(): Promise<number | undefined>;
  bodies: BodyBudget;
  clock: TestClock;
  usage: UsageStore;
  db: ControlDb;
  dataDir: string;
  /** What the backend logged, a JSON line each. */
  logLines: string[];
  /** @param path below the mount point: "/meters" */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Grows with each request that changed something, and with the clock. */
  changes(): number;
  close(): Promise<void>;
}

/** @param options.dataDir what another backend has left; default a new, empty folder */
export async function createTestBackend(
  options: {
    maxBodyBytes?: number;
    maxBodyBytesInFlight?: number;
    requestsAMinute?: number;
    start?: string;
    kongAdmin?: AppParts['kongAdmin'];
    signIn?: AppParts['signIn'];
    documentLimits?: AppParts['documentLimits'];
    notifications?: AppParts['notifications'];
    stripe?: AppParts['stripe'];
    secretsKeys?: AppParts['secretsKeys'];
    /** One that others go by, too. */
    clock?: TestClock;
    dataDir?: string;
  } = {},
): Promise<TestBackend> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'backend-'));
  if (options.dataDir === undefined) copyDatabaseTemplate(dataDir);
  const clock = options.clock ?? testClock(options.start);
  const newId = createIds(clock);
  const remove = await makeControlPlane(dataDir);
  const usage = await openUsage(dataDir, clock);
  const db = await openControlPlane(dataDir);
  const configured = Object.entries(TOKENS).map(([role, token]) => ({
    name: role,
    role: role as keyof typeof TOKENS,
    token,
  }));
  const logLines: string[] = [];
  const log = createLogger('info', { write: (line: string) => logLines.push(line) } as never);
  const tokens = await createAccessTokens({ scope: createScope({ db, clock, newId, log }), configured });
  const maxBodyBytes = options.maxBodyBytes ?? 10_485_760;
  const { app, invoices, billingRuns, notifications, outgoing, auditLog, usageNeededFromMs, bodies } = createBackend({
    usage,
    db,
    clock,
    newId,
    log,
    tokens,
    signIn: options.signIn,
    kongAdmin: options.kongAdmin,
    maxBodyBytes,
    maxBodyBytesInFlight: options.maxBodyBytesInFlight,
    requestsAMinute: options.requestsAMinute,
    documentLimits: options.documentLimits,
    notifications: options.notifications,
    stripe: options.stripe,
    secretsKeys: options.secretsKeys,
    version: '0.0.0-test',
  });
  const startedAtMs = clock.nowMs();
  let changes = 0;
  const fetch = app.fetch;
  app.fetch = async (request, ...rest) => {
    const response = await fetch(request, ...rest);
    const isReading = request.method === 'GET' || new URL(request.url).pathname.endsWith('/query');
    if (!isReading && response.status < 400) changes += 1;
    return response;
  };
  return {
    app,
    changes: () => changes + clock.nowMs() - startedAtMs,
    invoices,
    billingRuns,
    notifications,
    outgoing,
    auditLog,
    usageNeededFromMs,
    bodies,
    clock,
    usage,
    db,
    dataDir,
    logLines,
    request: (method, path, requestOptions) => request(app, method, path, requestOptions),
    close: async () => {
      await notifications.close();
      await usage.close();
      await db.close();
      await remove();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * One backend for all tests of a file that only read, or are refused: a new one is made after a test that changed
 * something. That a refused request changes nothing is so tested by the tests that follow it.
 * @param setUp makes what every test finds
 */
export function reusedBackend(setUp: (backend: TestBackend) => Promise<void> = async () => {}) {
  let backend: TestBackend | undefined;
  let changesOfSetUp = 0;
  return {
    get: async (): Promise<TestBackend> => {
      if (backend !== undefined && backend.changes() === changesOfSetUp) return backend;
      await backend?.close();
      backend = await createTestBackend();
      await setUp(backend);
      changesOfSetUp = backend.changes();
      return backend;
    },
    close: async () => backend?.close(),
  };
}

async function request(app: App, method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const { body, rawBody, headers = {}, token = TOKENS.admin } = options;
  const response = await app.request(`/v3/openmeter${path}`, {
    method,
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(rawBody !== undefined && { body: rawBody }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (contractIsAvailable) {
    const requestPath = `/openmeter${path.split('?', 1)[0]}`;
    expect(contractViolations(method, requestPath, response.status, type, text)).toEqual([]);
  }
  const json: unknown = text !== '' && /json/.test(type) ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}
