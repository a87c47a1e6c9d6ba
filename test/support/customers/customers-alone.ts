import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type CustomerBlockers, type Customers, createCustomers } from '../../../backend/customers/customers/index.ts';
import { customerPageSchema, customerSchema } from '../../../backend/customers/customers/schema.ts';
import { type ControlDb, openControlDb } from '../../../backend/platform/db/control-db.ts';
import type { Role } from '../../../backend/platform/http/env.ts';
import { problemHandler } from '../../../backend/platform/http/problem.ts';
import { badRequestSchema, problemSchema } from '../../../backend/platform/http/problem-schema.ts';
import { logRequests } from '../../../backend/platform/http/request-log.ts';
import { createRouter } from '../../../backend/platform/http/router.ts';
import { createLogger } from '../../../backend/platform/log.ts';
import type { Scope } from '../../../backend/platform/scope.ts';
import type { Json } from '../answers.ts';
import { contractIsAvailable, contractViolations } from '../contract.ts';
import { copyDatabaseTemplate, MIGRATIONS } from '../database-template.ts';
import { testScope } from '../scope.ts';
import { type TestClock, testClock } from '../test-clock.ts';

export const DATABASE_FILE = 'control.sqlite';

export interface Answer {
  status: number;
  json: Json;
}

/** The customers routes over a SQLite file of their own, called in process. */
export interface CustomersUnderTest {
  customers: Customers;
  db: ControlDb;
  clock: TestClock;
  scope: Scope;
  folder: string;
  /** @param role of the token that is sent; null sends none */
  call(method: string, path: string, body?: unknown, role?: Role | null): Promise<Answer>;
  /** Creates a customer whose name is its key. */
  create(key: string, subjectKeys?: readonly string[], fields?: Record<string, unknown>): Promise<Json>;
  /** The keys that a list answers, in its order. */
  keys(query?: string): Promise<string[]>;
  close(): Promise<void>;
}

export function startCustomers(blockers?: CustomerBlockers): CustomersUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'customers-'));
  copyDatabaseTemplate(folder);
  const clock = testClock();
  const db = openControlDb(join(folder, DATABASE_FILE), MIGRATIONS);
  const scope = testScope(db, clock);
  const customers = createCustomers({ scope, ...(blockers && { blockers }) });
  const router = createRouter(async (token) =>
    ['admin', 'viewer', 'ingest'].includes(token)
      ? { tokenId: token, tokenName: token, role: token as Role }
      : undefined,
  );
  const log = createLogger('silent');
  router.app.use(logRequests(log, clock));
  router.app.onError(problemHandler(log));
  customers.routes(router);

  const call: CustomersUnderTest['call'] = async (method, path, body, role = 'admin') => {
    const response = await router.app.request(path, {
      method,
      headers: { 'Content-Type': 'application/json', ...(role !== null && { Authorization: `Bearer ${role}` }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return readAnswer(method, path, response);
  };
  return {
    customers,
    db,
    clock,
    scope,
    folder,
    call,
    create: async (key, subjectKeys, fields = {}) => {
      const attribution = subjectKeys && { usage_attribution: { subject_keys: subjectKeys } };
      const answer = await call('POST', '/customers', { key, name: key, ...attribution, ...fields });
      expect(answer).toMatchObject({ status: 201 });
      return answer.json;
    },
    keys: async (query = '') => {
      const answer = await call('GET', `/customers${query}`);
      expect(answer).toMatchObject({ status: 200 });
      return answer.json.data.map((customer: { key: string }) => customer.key);
    },
    close: async () => {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readAnswer(method: string, path: string, response: Response): Promise<Answer> {
  const { status } = response;
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (contractIsAvailable) {
    const contractPath = `/openmeter${path.split('?', 1)[0]}`;
    expect(contractViolations(method, contractPath, status, type, text)).toEqual([]);
  }
  if (status === 204) {
    expect(text).toBe('');
    return { status, json: undefined };
  }
  const json: unknown = JSON.parse(text);
  if (status >= 400) {
    expect(type).toBe('application/problem+json');
    (status === 400 ? badRequestSchema : problemSchema).parse(json);
    expect(json).toMatchObject({ status, instance: expect.stringMatching(/^urn:request:/) });
  } else {
    expect(type).toMatch(/^application\/json/);
    (method === 'GET' && /^\/customers(\?|$)/.test(path) ? customerPageSchema : customerSchema).parse(json);
  }
  return { status, json };
}
