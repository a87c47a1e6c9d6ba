import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROLE_MEANINGS, ROLES, type Role } from '../../../backend/platform/http/roles.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

interface Operation {
  method: string;
  path: string;
  tag: string;
  access: string | undefined;
}

/** Every operation that the backend documents, with what it asks of its caller. */
async function operations(): Promise<Operation[]> {
  const document = (await (await backend.app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, { tags: [string]; 'x-access'?: string }>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      tag: operation.tags[0],
      access: operation['x-access'],
    })),
  );
}

/** What a caller does with an operation, in the words of docs/access-tokens.md. */
function verbOf({ method, access }: Operation): string {
  if (access === 'any') return 'own';
  if (access === 'ingest') return 'send';
  if (access === 'enforce') return 'ask';
  return method === 'GET' || access === 'read' ? 'read' : 'change';
}

/** The table "What each role may do" of the page: area, role, verbs. */
function documentedTable(): Record<string, Record<string, string>> {
  const page = readFileSync('docs/access-tokens.md', 'utf8');
  const [table = ''] = (page.split('<!-- roles -->\n')[1] ?? '').split('\n\n', 1);
  const [header, , ...rows] = table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return Object.fromEntries(
    rows.map(([area = '', ...cells]) => [area, Object.fromEntries(cells.map((cell, at) => [header?.[at + 1], cell]))]),
  );
}

/** What a browser asks before anybody has signed in, and what Stripe sends, which it signs. */
const PUBLIC = ['POST /v3/openmeter/apps/{appId}/stripe/webhook', 'GET /v3/openmeter/sign-in'];

test('every operation, called without a token, with a wrong one and with every role, does what the page says', async () => {
  const verbs = ['own', 'read', 'change', 'send', 'ask'];
  const documented = await operations();
  const isPublic = ({ access }: Operation) => access === undefined;
  expect(documented.filter(isPublic).map(({ method, path }) => `${method} ${path}`)).toEqual(PUBLIC);
  const all = documented.filter((operation) => !isPublic(operation));
  expect(all.length).toBeGreaterThan(150);
  const seen: Record<string, Record<string, Record<string, boolean>>> = {};
  for (const operation of all) {
    const { method, path, tag } = operation;
    const url = path.replace(/\{\w+\}/g, '01G65Z755AFWAKHE12NY0CQ9FH');
    const call = async (headers: Record<string, string>) =>
      (await backend.app.request(url, { method, headers })).status;
    expect([method, path, await call({})]).toEqual([method, path, 401]);
    expect([method, path, await call({ Authorization: 'Bearer wrong-token-0123456789' })]).toEqual([method, path, 401]);
    for (const role of ROLES) {
      const status = await call({ Authorization: `Bearer ${TOKENS[role]}` });
      expect([method, path, role, status]).not.toContain(401);
      expect([method, path, role, status]).not.toContain(500);
      const verb = verbOf(operation);
      const isAllowed = status !== 403;
      seen[tag] ??= {};
      const ofRole = seen[tag][ROLE_MEANINGS[role].title] ?? {};
      seen[tag][ROLE_MEANINGS[role].title] = ofRole;
      // Operations of one area and verb ask for the same: otherwise the table could not say what a role may do.
      expect([method, path, role, verb, isAllowed]).toEqual([method, path, role, verb, ofRole[verb] ?? isAllowed]);
      ofRole[verb] = isAllowed;
    }
  }
  const table = Object.fromEntries(
    Object.entries(seen).map(([tag, roles]) => [
      tag,
      Object.fromEntries(
        Object.entries(roles).map(([title, allowed]) => [
          title,
          verbs.filter((verb) => allowed[verb] === true).join(', ') || '–',
        ]),
      ),
    ]),
  );
  expect(table).toEqual(documentedTable());
});

test('403 names the role as people and as configurations know it', async () => {
  const answer = await backend.request('POST', '/meters', { token: TOKENS.billing_admin, body: {} });
  expect(answer.status).toBe(403);
  expect(answer.json.detail).toContain('Billing Admin (billing_admin)');
});

test.each(ROLES)('a token of the role %s tells its grants', async (role: Role) => {
  const answer = await backend.request('GET', '/access-tokens/self', { token: TOKENS[role] });
  const { title, grants } = ROLE_MEANINGS[role];
  expect(answer.json).toEqual({ id: expect.any(String), name: role, role, role_title: title, grants });
});
