import { afterAll, beforeAll, expect, test } from 'vitest';
import { UNSERVED_OPERATIONS } from '../../backend/unserved-operations/index.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../support/backend.ts';
import { CONTRACT_MISSING, contractDocument, contractIsAvailable } from '../support/contract.ts';
import { nameOf, type OperationName, operationsOf, operationTables, ourOperations } from './support/operations.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const { contract, own } = operationTables();
const isServed = ({ note }: { note: string }) => note === 'yes';
const concrete = (path: string) => `/v3${path}`.replace(/\{\w+\}/g, '01G65Z755AFWAKHE12NY0CQ9FH');

test('docs/operations.md lists what this server has, once', async () => {
  const textOf = ({ id, method, path }: OperationName) => `| \`${id}\` | \`${method} ${path}\` |`;
  const listed = [...contract.filter(isServed), ...own].map(textOf);
  const there = await ourOperations(backend.app);
  // As rows to be taken over, or taken out.
  const missing = there.filter((operation) => !listed.includes(textOf(operation)));
  const gone = listed.filter((row) => !there.map(textOf).includes(row));
  expect({ missing: missing.map((operation) => `${textOf(operation)} ${operation.summary} |`), gone }).toEqual({
    missing: [],
    gone: [],
  });
  expect(new Set(listed).size).toBe(listed.length);
});

test('docs/operations.md says of the others what this server answers', () => {
  const answered = UNSERVED_OPERATIONS.map(({ operationId, method, path, reason }) => ({
    id: operationId,
    method: method.toUpperCase(),
    path: `/openmeter${path}`,
    note: `no: ${reason}`,
  }));
  expect(contract.filter((row) => !isServed(row))).toEqual(answered.sort((a, b) => (a.id < b.id ? -1 : 1)));
});

test.skipIf(!contractIsAvailable)(`docs/operations.md lists the contract's operations (${CONTRACT_MISSING})`, () => {
  expect(contract.map(nameOf)).toEqual(operationsOf(contractDocument()).map(nameOf));
});

test('an operation of the contract that is not there answers 501 and names itself, to callers who might use it', async () => {
  for (const { operationId, method, path, access } of UNSERVED_OPERATIONS) {
    const call = (token: string | null) => backend.request(method.toUpperCase(), path, { token });
    expect((await call(null)).status).toBe(401);
    expect((await call('no-token-of-this-server')).status).toBe(401);
    expect((await call(TOKENS.ingest)).status).toBe(403);
    expect((await call(TOKENS.viewer)).status).toBe(access === 'read' ? 501 : 403);
    const answer = await call(TOKENS.admin);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json).toMatchObject({
      status: 501,
      title: 'Not Implemented',
      type: 'https://kongapi.info/konnect/not-implemented',
      detail: expect.stringContaining(operationId),
    });
  }
});

test('every path refuses the methods that it does not have with 405, and names those that it has', async () => {
  const methodsByPath = new Map<string, Set<string>>();
  const all = [...(await ourOperations(backend.app)), ...contract];
  for (const { path } of all) {
    const names = all.filter((other) => matches(other.path, path)).map(({ method }) => method);
    methodsByPath.set(path, new Set(names.includes('GET') ? [...names, 'HEAD'] : names));
  }
  for (const [path, methods] of methodsByPath) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      if (methods.has(method)) continue;
      const url = path.startsWith('/api') ? path : concrete(path);
      const response = await backend.app.request(url, { method });
      expect({ path, method, status: response.status }).toEqual({ path, method, status: 405 });
      expect(response.headers.get('allow')).toBe([...methods].sort().join(', '));
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      if (method !== 'HEAD') expect(await response.json()).toMatchObject({ status: 405, title: 'Method Not Allowed' });
    }
  }
});

/** "/plans/{planId}" answers for "/plans/archive" too, where that has no method of its own. */
function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

test('paths below both mount points and none', async () => {
  const status = async (method: string, path: string) => (await backend.app.request(path, { method })).status;
  expect(await status('PATCH', '/api/v3/openmeter/meters')).toBe(405);
  expect(await status('POST', '/healthz')).toBe(405);
  expect(await status('GET', '/v3/openmeter/meters/')).toBe(404);
  expect(await status('GET', '/v3/openmeter/metersX')).toBe(404);
  expect(await status('GET', '/v3/meters')).toBe(404);
  expect(await status('GET', '/api/v1/meters')).toBe(404);
  expect(await status('GET', '/api/v1/events')).toBe(405);
});
