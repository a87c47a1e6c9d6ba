import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCatalog } from '../../catalog/cli.ts';
import { type CatalogUnderTest, startCatalog } from '../support/catalog/catalog-command.ts';

let t: CatalogUnderTest;
beforeAll(async () => {
  t = await startCatalog();
});
afterAll(() => t.close());

describe('the file: each problem with its place', () => {
  test.each([
    ['no YAML', 'meters:\n- key: [a\n', ['line 3, column 1:']],
    ['a key twice in YAML', 'meters: []\nmeters: []\n', ['line 2, column 1: Map keys must be unique']],
    ['a list', '- a\n', ['FILE:1:1: must be an object']],
    ['an unknown section', 'meters: []\nservices: []\n', ['FILE:2:11: services: is not known']],
    ['another format', '_format_version: "3.0"\n', ['FILE:1:18: _format_version: must be "1.0"']],
    [
      'what a meter needs',
      'meters:\n  - key: a\n    name: 5\n    event_typ: x\n',
      [
        'FILE:2:5: meters.0.aggregation: is required',
        'FILE:2:5: meters.0.event_type: is required',
        'FILE:3:11: meters.0.name: must be a string',
        'FILE:4:16: meters.0.event_typ: is not known',
      ],
    ],
    [
      'a meter twice',
      'features:\n- {key: a, name: a}\n- {key: a, name: b}\n',
      ['FILE:3:9: features.1.key: a is there twice'],
    ],
    [
      'an unknown meter',
      'features:\n- key: a\n  name: a\n  meter: {key: gone}\n',
      ['FILE:4:16: features.0.meter.key: there is no meter "gone", neither in the file nor on the server'],
    ],
    [
      'an id for a key',
      'features:\n- key: a\n  name: a\n  meter: {id: x}\n',
      ['FILE:4:10: features.0.meter.key: is required', 'FILE:4:15: features.0.meter.id: is not known'],
    ],
    [
      'an unknown price',
      'plans:\n- {key: a, name: a, currency: USD, billing_cadence: P1M, phases: [{key: p, name: p, rate_cards: [{key: c, name: c, price: {type: package}}]}]}\n',
      ['plans.0.phases.0.rate_cards.0.price.type: type is missing or not known'],
    ],
    [
      'no number',
      'features: [{key: a, name: a, unit_cost: {type: manual, amount: free}}]\n',
      ['features.0.unit_cost.amount: must be a decimal number, such as "12.5"'],
    ],
  ])('%s', async (_name, file, expected) => {
    const run = await t.run('apply FILE --yes', file);
    expect(run).toMatchObject({ code: 1, out: '' });
    const lines = run.err.trim().split('\n').sort();
    expect(lines).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(lines[index]).toContain(text);
  });

  test('what only the server can judge, too', async () => {
    const run = await t.run('apply FILE --yes', 'tax_codes:\n- key: Bad-Key\n  name: n\n  app_mappings: []\n');
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/FILE:2:8: tax_codes\.0\.key: must consist of/);
  });
});

describe('the call', () => {
  test.each([
    ['', 'give a command'],
    ['sync FILE', 'give a command'],
    ['diff', 'diff takes one file'],
    ['diff a b', 'diff takes one file'],
    ['diff FILE --force', "Unknown option '--force'"],
    ['diff /nowhere/catalog.yaml', '/nowhere/catalog.yaml: ENOENT'],
    ['diff FILE --token-file /nowhere/token', 'ENOENT'],
    ['diff FILE --url http://127.0.0.1:1', 'cannot reach http://127.0.0.1:1/v3/openmeter: '],
  ])('%s', async (args, expected) => {
    const run = await t.run(args, 'meters: []\n');
    expect(run).toMatchObject({ code: 1, out: '' });
    expect(run.err).toContain(expected);
  });

  test('a wrong token', async () => {
    const run = await t.run('diff FILE', 'meters: []\n', { token: 'wrong' });
    expect(run).toEqual({ code: 1, out: '', err: 'the token is missing or not known: set METERING_TOKEN\n' });
  });

  test('help', async () => {
    const { code, out } = await t.run('--help');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('npm run catalog -- diff FILE') });
  });

  test('dump does not overwrite unasked', async () => {
    expect(await t.run('dump FILE', '# mine\n')).toMatchObject({ code: 1, err: expect.stringContaining('is there') });
    expect(await t.run('dump FILE', '# mine\n', { answer: false })).toMatchObject({ code: 1, err: '' });
    expect(await t.run('dump FILE', '# mine\n', { answer: true })).toMatchObject({ code: 0, err: '' });
  });
});

test('an answer that is no JSON names the URL', async () => {
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => response.end('<html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const errors: string[] = [];
  const code = await runCatalog(['dump', '-', '--url', `http://127.0.0.1:${port}`], {
    environment: {},
    print: () => {},
    say: (line) => errors.push(line),
    ask: async () => undefined,
    readText: () => '',
  });
  server.close();
  expect(code).toBe(1);
  expect(errors.join()).toContain('is this the URL of the backend?');
});
