import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, createClient } from '../../../collectors/prometheus/client.ts';
import { systemClock } from '../../../delivery/clock.ts';
import { type QueryServer, startQueryServer, vector } from '../../support/collectors/prometheus/query-server.ts';

let server: QueryServer;
let client: Client;
beforeEach(async () => {
  server = await startQueryServer();
  const plain = { headers: {}, basicAuth: undefined, bearerToken: undefined, bearerTokenFile: undefined };
  const settings = { ...plain, url: new URL(server.url), tls: { skip_cert_verify: false }, timeoutMs: 30_000 };
  client = createClient(settings, systemClock);
});
afterEach(async () => {
  await client.close();
  await server.close();
});

test('a large answer waits until others are not needed any more, which small ones and those who have a turn do not', async () => {
  const large = vector([{ metric: { filling: 'x'.repeat(2 * 1024 * 1024) }, value: [1, '1'] }]);
  server.answer = ({ query }, response) => {
    response.end(query === 'large' ? large : vector([]));
    return 'done';
  };
  const { signal } = new AbortController();
  const ask = (query: string, turn = client.turn()) => client.query(query, 1000, turn, signal);
  const [one, two, three] = [client.turn(), client.turn(), client.turn()];
  expect(await ask('large', one)).toMatchObject({ kind: 'answer' });
  expect(await ask('large', two)).toMatchObject({ kind: 'answer' });
  let isAnswered = false;
  const third = ask('large', three).finally(() => {
    isAnswered = true;
  });
  expect(await ask('large', one)).toMatchObject({ kind: 'answer' });
  expect(await ask('small')).toMatchObject({ kind: 'answer' });
  expect(isAnswered).toBe(false);
  two.end();
  expect(await third).toMatchObject({ kind: 'answer' });
  for (const turn of [one, three]) turn.end();
});

test('who stops while waiting is told so, and holds up nobody', async () => {
  const large = vector([{ metric: { filling: 'x'.repeat(2 * 1024 * 1024) }, value: [1, '1'] }]);
  server.answer = (_question, response) => {
    response.end(large);
    return 'done';
  };
  const turns = [client.turn(), client.turn()];
  const { signal } = new AbortController();
  for (const turn of turns) await client.query('large', 1000, turn, signal);
  const stop = new AbortController();
  const waiting = client.query('large', 1000, client.turn(), stop.signal);
  stop.abort();
  expect(await waiting).toMatchObject({ kind: 'failed' });
  turns[0]?.end();
  expect(await client.query('large', 1000, client.turn(), signal)).toMatchObject({ kind: 'answer' });
});
