import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
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
