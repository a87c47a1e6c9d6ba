import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServerType, serve } from '@hono/node-server';
import { monotonicFactory } from 'ulid';
import { createAccessTokens } from '../../backend/access/access-tokens/index.ts';
import { type Backend, createBackend, startRollups } from '../../backend/app.ts';
import { openSqliteUsageStore, type UsageStore } from '../../backend/metering/usage-store/index.ts';
import { openControlDb } from '../../backend/platform/db/control-db.ts';
import { createLogger } from '../../backend/platform/log.ts';
import { createScope } from '../../backend/platform/scope.ts';

const MIGRATIONS = fileURLToPath(new URL('../../backend/migrations', import.meta.url));
const CONSOLE = fileURLToPath(new URL('../../dist/console', import.meta.url));
export const TOKENS = { admin: 'pictures-admin-token-0123456789', viewer: 'pictures-viewer-token-0123456789' };

/** Numbers from 0 to 1 for ids, the same in every run: ids stand in the pictures. */
function sameNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** A whole backend with the console on a port of its own, whose clock is moved by hand: the same pictures every time. */
export interface ClockedBackend {
  url: string;
  usage: UsageStore;
  billingRuns: Backend['billingRuns'];
  nowMs(): number;
  setNow(instant: string): void;
  /** Calls the API as the admin. @param path below the mount point. @throws Error when it is refused */
  // biome-ignore lint/suspicious/noExplicitAny: a script looks into answers freely
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<any>;
  stop(): Promise<void>;
}

/** @param keptDir the folder of its databases, left as it is in the end; without it one is made, and removed */
export async function startClockedBackend(start: string, keptDir?: string): Promise<ClockedBackend> {
  const dataDir = keptDir ?? mkdtempSync(join(tmpdir(), 'console-'));
  mkdirSync(dataDir, { recursive: true });
  let nowMs = Date.parse(start);
  const clock = { nowMs: () => nowMs };
  const next = monotonicFactory(sameNumbers());
  const newId = () => next(nowMs);
  const usage = await openSqliteUsageStore(join(dataDir, 'usage.sqlite'), clock);
  const db = openControlDb(join(dataDir, 'control.sqlite'), MIGRATIONS);
  const configured = Object.entries(TOKENS).map(([role, token]) => ({ name: role, role: role as 'admin', token }));
  const log = createLogger('error');
  const tokens = await createAccessTokens({ scope: createScope({ db, clock, newId, log }), configured });
  await startRollups({ usage, db });
  const { app, billingRuns } = createBackend({
    usage,
    db,
    clock,
    newId,
    log,
    tokens,
    maxBodyBytes: 10_485_760,
    version: 'pictures',
    consoleDir: CONSOLE,
  });
  const server = await new Promise<ServerType>((resolve) => {
    const listening = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(listening));
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url,
    usage,
    billingRuns,
    nowMs: () => nowMs,
    setNow: (instant) => {
      nowMs = Date.parse(instant);
    },
    api: async (method, path, body, headers = {}) => {
      const type = Array.isArray(body) ? 'application/cloudevents-batch+json' : 'application/json';
      const response = await app.request(`/v3/openmeter${path}`, {
        method,
        headers: { Authorization: `Bearer ${TOKENS.admin}`, 'Content-Type': type, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
      await usage.close();
      await db.close();
      if (keptDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
