import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../delivery/clock.ts';
import { readConfig } from '../../../plugin/entitlement-enforcement/config.ts';
import type { Decision } from '../../../plugin/entitlement-enforcement/decide.ts';
import { createEnforcer, type Enforcer } from '../../../plugin/entitlement-enforcement/enforcer.ts';
import { Schema } from '../../../plugin/entitlement-enforcement/schema.ts';
import type { UsageFeedReader } from '../../../plugin/usage-feed/receiver.ts';
import { applySchema } from '../../gateway-player/index.ts';

/** Longer than any test takes: what is waited for comes, or nothing does. */
const LONG_MS = 10_000;

/** A backend whose answers are given by hand. Each question waits until it is answered. */
async function backend(): Promise<{ url: string; answer(balance: number): Promise<void>; questions(): number }> {
  const open: ServerResponse[] = [];
  let questions = 0;
  const server = createServer((request, response) => {
    request.resume();
    questions++;
    open.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v3/openmeter/entitlement-access/query`,
    questions: () => questions,
    async answer(balance) {
      await expect.poll(() => open.length).toBeGreaterThan(0);
      const calls = {
        has_access: balance > 0,
        is_soft_limit: false,
        balance: String(balance),
        total_available: '10',
        meter: { event_type: 'kong.api_request', aggregation: 'count' },
      };
      const row = { matched: ['alice'], customer: { id: 'c1' }, subjects: ['alice'], features: { calls } };
      for (const response of open.splice(0)) response.end(JSON.stringify({ data: [row], errors: [] }));
    },
  };
}

function open(url: string, more: object = {}, { feed, clock = systemClock }: Parts = {}) {
  const given = { api_token: 'token', entitlement_access_endpoint: url, feature: { key: 'calls' }, ...more };
  const { config, problems } = readConfig(applySchema(Schema, given));
  if (config === undefined) throw new Error(problems.join());
  const rareLog = { note: () => undefined } as unknown as Parameters<typeof createEnforcer>[1]['rareLog'];
  return { enforcer: createEnforcer(config.access, { clock, rareLog, feed }), decision: config.decision };
}

interface Parts {
  readonly feed?: UsageFeedReader;
  readonly clock?: typeof systemClock;
}

/** One request, as the plugin decides about it. */
async function request({ enforcer, decision }: { enforcer: Enforcer } & Settings, waitMs = LONG_MS): Promise<Decision> {
  const first = enforcer.check('alice', decision);
  return first.isProvisional === true ? enforcer.checkAgain('alice', decision, waitMs) : first;
}

type Settings = { readonly decision: Parameters<Enforcer['check']>[1] };

test('the first requests of a customer wait for what is asked about them, and count', async () => {
  const { url, answer, questions } = await backend();
  const node = open(url);
  const requests = Array.from({ length: 5 }, () => request(node));
  await answer(3);
  const decisions = await Promise.all(requests);
  expect(decisions.map(({ isAllowed }) => isAllowed)).toEqual([true, true, true, false, false]);
  expect(decisions[4]).toMatchObject({ reason: 'USAGE_LIMIT_REACHED' });
  expect(questions()).toBe(1);
});

test.each([
  ['allow', { isAllowed: true }],
  ['block', { isAllowed: false, reason: 'ENTITLEMENTS_UNKNOWN' }],
])('they wait no longer than they may, and follow the fail policy %s', async (policy, expected) => {
  const { url } = await backend();
  expect(await request(open(url, { fail_policy: policy }), 20)).toMatchObject(expected);
});

test('they do not wait for a backend that is away', async () => {
  const node = open('http://127.0.0.1:1/v3/openmeter/entitlement-access/query');
  expect(await request(node)).toMatchObject({ isAllowed: true });
  expect(node.enforcer.check('alice', node.decision)).toMatchObject({ isAllowed: true, isProvisional: false });
});

test('what arrives while it is asked for, and is told of later, does not refuse a customer in the middle of a grant', async () => {
  const { url, answer } = await backend();
  const totals = { made: 0, settled: 0 };
  const feed: UsageFeedReader = {
    isConnected: () => true,
    tellsAll: () => true,
    totals: () => totals,
    onLogged: () => undefined,
    close: () => undefined,
  };
  const node = open(url, {}, { feed });
  const first = request(node);
  await answer(10);
  expect(await first).toMatchObject({ isAllowed: true });

  // Five events have arrived and been counted when it is asked; this node is told of their arrival only after that.
  totals.made = 5;
  const again = node.enforcer.checkAgain('alice', node.decision, LONG_MS);
  await answer(5);
  await again;
  expect(node.enforcer.check('alice', node.decision)).toMatchObject({ isAllowed: false, isProvisional: true });
  totals.settled = 5;
  const sixth = request(node);
  await answer(5);
  expect(await sixth).toMatchObject({ isAllowed: true });
});

test('what is known is asked anew also when the clock was set back', async () => {
  const { url, answer, questions } = await backend();
  let epochMs = Date.UTC(2026, 2, 10, 10);
  const clock = { ...systemClock, epochMs: () => epochMs };
  const node = open(url, { sync_rate: 1 }, { clock });
  const first = request(node);
  await answer(3);
  await first;
  epochMs -= 3_600_000;
  node.enforcer.check('alice', node.decision);
  await expect.poll(() => questions()).toBeGreaterThan(1);
});
