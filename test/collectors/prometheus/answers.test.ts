import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../delivery/clock.ts';
import { type Collected, configOf } from '../../support/collectors/prometheus/collecting.ts';
import { type QueryServer, startQueryServer, vector } from '../../support/collectors/prometheus/query-server.ts';
import { startCollect } from '../../support/collectors/running.ts';
import { tempFolder } from '../../support/collectors/surroundings.ts';

const RECORDED = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/collectors/prometheus-answers.json'), 'utf8')) as {
    answers: { name: string; status: number; body: string }[];
  }
).answers;

let server: QueryServer;
let folder: ReturnType<typeof tempFolder>;
beforeEach(async () => {
  server = await startQueryServer();
  folder = tempFolder();
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

/** One window of `strange`, whose answer is given, beside one of `fine`, which must not suffer. */
async function collected(answer: (response: ServerResponse) => void, more = '') {
  server.answer = ({ query }, response) => {
    if (query === 'strange') answer(response);
    else if (query === 'fine') response.end(vector([{ metric: { tenant: 'f' }, value: [1, '7'] }]));
    else response.end(vector([{ metric: {}, value: [1, '1'] }]));
    return 'done';
  };
  const input = `url: "${server.url}"\nschedule: "@every 1m"\ndelay: 0s\nqueries: [{ query: { name: strange, promql: strange } }, { query: { name: fine, promql: fine } }]\n${more}`;
  const nowMs = Date.now();
  // A minute may end meanwhile, and would be a second window.
  const clock = { ...systemClock, epochMs: () => nowMs };
  const collect = startCollect(configOf(input, folder.path, 'http://127.0.0.1:1'), ['--dry-run', '--once'], {}, clock);
  expect(await collect.ended, collect.said.join()).toBe(0);
  const events = collect.printed.map((line) => JSON.parse(line) as Collected);
  expect(events.filter(({ type }) => type === 'fine').map(({ data }) => data.value)).toEqual(['7']);
  const reasons = collect.logged.filter(({ reason }) => reason !== undefined).map(({ reason }) => String(reason));
  return { values: events.filter(({ type }) => type === 'strange').map(({ data }) => data), reasons, collect };
}

const recorded = (name: string) => {
  const found = RECORDED.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no recording ${name}`);
  return (response: ServerResponse) => void response.writeHead(found.status).end(found.body);
};

describe('as a real server answers', () => {
  test('series keep every digit and every label; what is no number is a dead letter and not zero', async () => {
    const { values, reasons } = await collected(recorded('NaN Inf -Inf big small'));
    expect(Object.fromEntries(values.map(({ metric, value }) => [metric['kind'], value]))).toMatchObject({
      big: '12345678901234567000',
      small: '1e-09',
    });
    expect(values.some(({ value }) => /NaN|Inf/.test(value))).toBe(false);
    expect(reasons.join()).toContain('the series has the value NaN');
    expect(reasons.join()).toContain('the series has the value +Inf');
    const { values: escaped } = await collected(recorded('escaped label'));
    expect(escaped[0]?.metric['text']).toBe('quote " backslash \\ newline \n ünï 用量');
  });

  test('a scalar is one series without labels; empty is none', async () => {
    expect((await collected(recorded('scalar'))).values).toEqual([{ metric: {}, value: '9564' }]);
    expect((await collected(recorded('empty: no such metric'))).values).toEqual([]);
  });

  test.each([
    ['string', 'answers a text'],
    ['matrix', 'answers raw samples'],
    ['error: parse', 'status 400: invalid parameter "query": 1:27: parse error'],
    ['error: execution (many to many)', 'status 422: found duplicate series'],
    ['error: too many samples', 'reads too much'],
    ['warnings: remote read fails', 'may be partial: remote_read: error sending request'],
    ['warnings and empty', 'may be partial'],
  ])('%s leaves the window open', async (name, reason) => {
    const { values, reasons } = await collected(recorded(name));
    expect(values).toEqual([]);
    expect(reasons.join()).toContain(reason);
  });

  test('notes on an expression are no partial answers; partial ones can be accepted', async () => {
    const result = [{ metric: { tenant: 'a' }, value: [1, '2'] }];
    const noted = vector(result, {
      infos: ['x'],
      warnings: ['PromQL warning: encountered a mix of histograms and floats'],
    });
    expect((await collected((response) => response.end(noted))).values).toHaveLength(1);
    expect((await collected(recorded('warnings: remote read fails'), 'on_warnings: accept')).values).toHaveLength(4);
  });
});

describe('hostile answers hold up nobody, and end nothing', () => {
  const endless = (response: ServerResponse) => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const more = () => {
      while (!response.destroyed && response.write(chunk)) {
        // Until the connection is full, or cut.
      }
    };
    response.on('drain', more);
    more();
  };
  const nested = `{"status":"success","data":{"resultType":"vector","result":[${'['.repeat(5_000_000)}`;
  const many = (count: number) =>
    `{"status":"success","data":{"resultType":"vector","result":[${Array.from({ length: count }, () => '{}').join()}]}}`;

  test.each<[string, (response: ServerResponse) => void, string]>([
    ['a body without end', endless, 'larger than 16 MB'],
    ['brackets', (response) => response.end(nested), 'nested too deeply'],
    ['a million series', (response) => response.end(many(1_000_000)), 'too many series'],
    [
      'a bomb',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(' '.repeat(1e6))),
      'packed',
    ],
    ['a redirect', (response) => response.writeHead(302, { location: `${server.url}/other` }).end(), 'redirects'],
    ['HTML', (response) => response.end('<html>"</html>'), 'no JSON'],
    ['two results', (response) => response.end('{"data":{"result":[],"result":[]}}'), 'two results'],
    ['no value', (response) => response.end(vector([{ metric: {} }])), 'no pair'],
    ['a number as a label', (response) => response.end(vector([{ metric: { a: 1 }, value: [1, '1'] }])), 'no text'],
    [
      'digits without end',
      (response) => response.end(vector([{ metric: {}, value: [1, '9'.repeat(1000)] }])),
      'has the value',
    ],
    ['an exponent', (response) => response.end(vector([{ metric: {}, value: [1, '1e999999999'] }])), 'has the value'],
    [
      'a broken tail',
      (response) => response.end(vector([{ metric: {}, value: [1, '1'] }]).replace(']}}', ',x]}}')),
      'no JSON',
    ],
    ['half an answer', (response) => response.writeHead(200, { 'content-length': '100' }).end('{"status"'), ''],
    ['an error of brackets', (response) => response.writeHead(400).end('['.repeat(10_000)), 'status 400'],
  ])('%s', async (_name, answer, reason) => {
    if (reason !== '') {
      const { values, reasons } = await collected(answer);
      expect(values).toEqual([]);
      expect(reasons.join()).toContain(reason);
    }
  });

  test('labels that objects have by themselves are labels', async () => {
    const metric = '{"__proto__":"x","constructor":"y","tenant":"a"}';
    const body = vector([]).replace('[]', `[{"metric":${metric},"value":[1,"5"]}]`);
    const { values } = await collected((response) => response.end(body));
    expect(values).toHaveLength(1);
    expect(values[0]?.metric['constructor']).toBe('y');
  });
});
