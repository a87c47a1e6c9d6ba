import { expect, test } from 'vitest';
import { configOf } from '../../support/collectors/prometheus/collecting.ts';
import { startCollect } from '../../support/collectors/running.ts';

const query = (promql: string, more = '') =>
  `queries: [{ query: { name: q, promql: ${JSON.stringify(promql)}${more} } }]`;
const check = async (input: string, environment: Record<string, string> = {}) => {
  const collect = startCollect(configOf(input, '/tmp', 'http://127.0.0.1:1'), ['--check'], environment);
  return { code: await collect.ended, said: collect.said.join('\n') };
};

test.each([
  query('sum(increase(a[1m]))'),
  query('increase(a[60s])'),
  query('increase(a[$interval]) + max_over_time(b[1m:10s])'),
  query('rate(a[5m]) * 60', ', range: any'),
  query('a{b="[5m]", c=~\'[0-9]+\'} # [7m]'),
  'schedule: "0 0 0 1 * *"\nqueries: [{ query: { name: q, promql: "increase(a[$interval])" } }]',
  'counters: [{ counter: { name: c, selector: "a_total{b=\\"(x)\\"}", by: [tenant] } }]',
  'counters: [{ counter: { name: c, selector: "{__name__=~\\"a|b\\"}" } }]',
  `${query('a')}\nbearer_token_file: /var/run/token`,
])('%s is fine', async (input) => {
  expect(await check(`url: "http://127.0.0.1:9090"\n${input}`)).toEqual({ code: 0, said: '' });
});

test.each([
  [
    query('sum(increase(a[5m]))'),
    'queries[0].query.promql: has a range that is not the interval of the schedule (60 s)',
  ],
  [query('increase(a[1m:10s]) + b[61s]'), 'promql: has a range'],
  [`schedule: "0 0 0 1 * *"\n${query('increase(a[30d])')}`, 'which is not always the same'],
  ['schedule: "* * * * *"\nqueries: []', 'schedule: must be a cron expression of six fields'],
  ['queries: []', 'queries: must have one query at least'],
  ['counters: [{ counter: { name: c, selector: "rate(a[1m])" } }]', 'selector: must be one selector'],
  ['counters: [{ counter: { name: c, selector: "a_total[1m]" } }]', 'selector: must be one selector'],
  ['counters: [{ counter: { name: c, selector: "a_total offset 1m" } }]', 'selector: must be one selector'],
  [
    `${query('a')}\ncounters: [{ counter: { name: q, selector: a } }]`,
    'counters[0].counter.name: is the name of another',
  ],
  [`${query('a')}\nbasic_auth: { username: u, password: p }\nbearer_token: t`, 'headers: must have one of'],
  [`${query('a')}\ntls: { cert_file: a.pem }`, 'tls: must have both'],
  [`${query('a')}\nurl_: x`, 'input.prometheus.url_: is not known here'],
])('%s is refused', async (input, reason) => {
  const { code, said } = await check(`url: "http://127.0.0.1:9090"\n${input}`);
  expect(code).toBe(2);
  expect(said).toContain(reason);
});

test('a secret comes from the environment, and stands in no message', async () => {
  const environment = { TOKEN: 'geheim\u0000' };
  const { code, said } = await check(
    `url: "http://u:geheim@127.0.0.1"\n${query('a')}\nbearer_token: "\${TOKEN}"`,
    environment,
  );
  expect(code).toBe(2);
  expect(said).toContain('bearer_token: has characters that a header cannot carry');
  expect(said).toContain('url: must have no user and password');
  expect(said).not.toContain('geheim');
});
