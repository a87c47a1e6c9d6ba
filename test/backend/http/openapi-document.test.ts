import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { UNSERVED_OPERATIONS } from '../../../backend/unserved-operations/index.ts';
import { createTestBackend, type TestBackend } from '../../support/backend.ts';

let backend: TestBackend;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const text = async (path: string) => (await backend.app.request(path)).text();

test('names its server, its licence, and what each tag is about: those that operations have, and no other', async () => {
  const document = JSON.parse(await text('/openapi.json'));
  expect(document.servers).toEqual([{ url: '/', description: expect.any(String) }]);
  expect(document.info.license).toEqual({ name: 'Apache-2.0', url: expect.stringContaining('LICENSE-2.0') });
  const operations = Object.values<Record<string, { tags: string[] }>>(document.paths).flatMap((path) =>
    Object.values(path),
  );
  const used = new Set(operations.flatMap(({ tags }) => tags));
  const described = document.tags.map(({ name }: { name: string }) => name);
  expect([...used].sort()).toEqual(described.sort());
});

test('is the same at every address, as JSON and as YAML', async () => {
  const document = JSON.parse(await text('/openapi.json'));
  expect(JSON.parse(await text('/api/v3/openapi.json'))).toEqual(document);
  expect(parse(await text('/openapi.yaml'))).toEqual(document);
  expect(parse(await text('/api/v3/openapi.yaml'))).toEqual(document);
});

test('what is not there is told by the path that was asked for', async () => {
  const answer = JSON.parse(await text('/api/v3/openmeter/nothing'));
  expect(answer.detail).toBe('There is nothing at /api/v3/openmeter/nothing.');
});

test('says of operations that are not there that they answer 501, and of pages that they are numbers', async () => {
  const { paths } = JSON.parse(await text('/openapi.json'));
  for (const { path, method, operationId } of UNSERVED_OPERATIONS) {
    const operation = paths[`/v3/openmeter${path}`][method];
    expect(operation.operationId).toBe(operationId);
    expect(Object.keys(operation.responses)).toEqual(['401', '403', '429', '501']);
  }
  const { parameters } = paths['/v3/openmeter/customers'].get as { parameters: { name: string; schema: object }[] };
  for (const name of ['page[size]', 'page[number]']) {
    expect(parameters.find((one) => one.name === name)?.schema).toMatchObject({ type: 'integer', minimum: 1 });
  }
});

test('says of every list how many items a page has that tells no size', async () => {
  const { paths } = JSON.parse(await text('/openapi.json')) as {
    paths: Record<string, { get?: { parameters?: { name: string; description?: string }[] } }>;
  };
  for (const [path, { get }] of Object.entries(paths)) {
    const size = get?.parameters?.find(({ name }) => name === 'page[size]');
    // What is below something else needs the id of one.
    if (size?.description === undefined || path.includes('{')) continue;
    const { json } = await backend.request('GET', path.replace('/v3/openmeter', ''));
    expect(size.description, path).toContain(`default ${json.meta.page.size}.`);
  }
});

test('asks for nothing that has a default', async () => {
  const found: string[] = [];
  let defaults = 0;
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties, required = [] } = value as { properties?: Record<string, object>; required?: string[] };
    for (const [name, property] of Object.entries(properties ?? {})) {
      if (property === null || typeof property !== 'object' || !('default' in property)) continue;
      defaults += 1;
      if (required.includes(name)) found.push(`${path}/${name}`);
    }
    for (const [key, child] of Object.entries(value)) walk(child, `${path}/${key}`);
  };
  walk(JSON.parse(await text('/openapi.json')), '');
  expect(defaults).toBeGreaterThan(2);
  expect(found).toEqual([]);
});
