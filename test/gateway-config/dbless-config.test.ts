import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { Schema } from '../../plugin/metering-and-billing/schema.ts';
import { plainEnv, type Run, run } from '../support/programs.ts';

const SECRET = 'a-token-for-a-test';
const ENVIRONMENT = { DECK_INGEST_ENDPOINT: 'http://backend:8888/v3/openmeter/events', DECK_AUTH_TOKEN: SECRET };

function dblessConfig(file: string, env: Readonly<Record<string, string>>): Run {
  return run('bash', ['docker/kong/dbless-config.sh', file], { env: plainEnv(env) });
}

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dbless-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'kong.yml');
  writeFileSync(file, text);
  return file;
}

test('the DB-less form differs from kong.yml in vault references only, and holds no secret', () => {
  const { code, stdout, stderr } = dblessConfig('kong.yml', ENVIRONMENT);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain(SECRET);
  const asText = readFileSync('kong.yml', 'utf8');
  const expected = asText
    .replace('${{ env "DECK_INGEST_ENDPOINT" }}', '{vault://env/deck_ingest_endpoint}')
    .replace('${{ env "DECK_AUTH_TOKEN" }}', '{vault://env/deck_auth_token}');
  expect(stdout).toBe(expected);
});

test('references stand in fields that Kong looks up in a vault', () => {
  const { stdout } = dblessConfig('kong.yml', ENVIRONMENT);
  const { services } = parse(stdout) as { services: { plugins: { name: string; config: object }[] }[] };
  const config = services[0]?.plugins.find(({ name }) => name === 'metering-and-billing')?.config ?? {};
  const references = Object.entries(config).filter(([, value]) => String(value).startsWith('{vault://'));
  const referenceable = Schema.flatMap((field) => Object.entries(field)).filter(([, rule]) => rule.referenceable);
  expect(references.map(([name]) => name)).toEqual(referenceable.map(([name]) => name));
  // Elsewhere Kong would take a reference literally.
  expect(stdout.match(/\{vault:/g)).toHaveLength(references.length);
});

test("the example's upstream can be another one", () => {
  const { stdout } = dblessConfig('kong.yml', { ...ENVIRONMENT, EXAMPLE_UPSTREAM: 'http://upstream:8080' });
  expect(parse(stdout)).toMatchObject({ services: [{ url: 'http://upstream:8080/anything' }] });
});

test.for([
  ['unset', { DECK_INGEST_ENDPOINT: 'http://backend:8888' }],
  ['empty', { DECK_INGEST_ENDPOINT: 'http://backend:8888', DECK_AUTH_TOKEN: '' }],
] as const)('a value that is %s stops the start, by the name of its variable', ([, env]) => {
  const { code, stdout, stderr } = dblessConfig('kong.yml', env);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('DECK_AUTH_TOKEN');
});

test('two placeholders in one line are both looked at', () => {
  const file = temporaryFile('a: ["${{ env "DECK_A" }}", "${{ env "DECK_B" }}"]\n');
  expect(dblessConfig(file, { DECK_B: 'b' }).stderr).toContain('DECK_A');
  expect(dblessConfig(file, { DECK_A: 'a' }).stderr).toContain('DECK_B');
  expect(dblessConfig(file, { DECK_A: 'a', DECK_B: 'b' }).stdout).toBe(
    'a: ["{vault://env/deck_a}", "{vault://env/deck_b}"]\n',
  );
});

test('a placeholder without quotes becomes a text, not a map', () => {
  const file = temporaryFile(`api_token: \${{ env "DECK_A" }}
list:
  - \${{ env "DECK_B" }}   # why
  - - \${{env "DECK_A"}}
  - name: \${{ env "DECK_A" }}
# a comment: \${{ env "DECK_C" }}
quoted: '\${{ env "DECK_B" }}'
`);
  const { code, stdout, stderr } = dblessConfig(file, { DECK_A: 'a', DECK_B: 'b' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [a, b] = ['{vault://env/deck_a}', '{vault://env/deck_b}'];
  expect(parse(stdout)).toEqual({ api_token: a, list: [b, [a], { name: a }], quoted: b });
});

test("what is decK's own is left out", () => {
  const file = temporaryFile(`_format_version: "3.0"
_info:
  select_tags:
    - billing
_konnect: {
  control_plane_name: "\${{ env "DECK_CONTROL_PLANE" }}"
}
_plugin_configs:
  shared:
    minute: 5
# The services.
services:
- name: example-service
  url: http://localhost:1
"_info":
- x
consumers: []
`);
  const { code, stdout, stderr } = dblessConfig(file, {});
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(parse(stdout)).toEqual({
    _format_version: '3.0',
    services: [{ name: 'example-service', url: 'http://localhost:1' }],
    consumers: [],
  });
});

test.for([
  ['a placeholder that is only a part of a value', `a: 'Bearer \${{ env "DECK_A" }}'\n`, { DECK_A: 'a' }],
  ['a placeholder in a list in one line, without quotes', 'a: [${{ env "DECK_A" }}, 1]\n', { DECK_A: 'a' }],
  ['settings that only decK resolves', 'plugins:\n  - name: rate-limiting\n    _config: shared\n', {}],
  ['a placeholder with a function', 'port: ${{ env "DECK_PORT" | toInt }}\n', {}],
  ['a variable without the prefix that decK asks for', 'token: ${{ env "TOKEN" }}\n', {}],
  ['an upstream that would break the file', 'a: http://httpbin.konghq.com\n', { EXAMPLE_UPSTREAM: 'http://a|b' }],
] as const)('%s is refused', ([, text, env]) => {
  const { code, stdout, stderr } = dblessConfig(temporaryFile(text), env);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('dbless-config.sh: ');
});
