// What rules and messages that wait cost those who send events: a backend with 10,000 rules of thresholds, one of which is
// concerned, and 100,000 messages on their way, against one without, in turn. Both watch thresholds and send.
//   npm run bench:notifications -- [--rules N] [--messages N] [--rounds N]
import { parseArgs } from 'node:util';
import { openSqlite } from '../backend/platform/db/sqlite.ts';
import { createTestBackend, type TestBackend } from '../test/support/backend.ts';
import { ratioLine } from './report.ts';

const LIMIT = 0.95;
const BATCH = 100;
const BATCHES = 100;
const CUSTOMERS = 50;
const NOW = '2026-11-21T12:00:00.000Z';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '10000' },
    messages: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
  },
});
const [rules, messages, rounds] = [values.rules, values.messages, values.rounds].map((text) =>
  Number.parseInt(text, 10),
);

let eventCount = 0;
const plain = await backendWith(0, 0);
const full = await backendWith(rules ?? 0, messages ?? 0);
const stops = [plain, full].flatMap(({ notifications }) => {
  const track = <T>(_name: string, work: () => Promise<T>) => work();
  return [notifications.thresholds.schedule(track), notifications.sender.schedule(track, true)];
});
const ratios: number[] = [];
for (let round = 0; round <= (rounds ?? 0); round++) {
  const without = await sendAll(plain);
  const withThem = await sendAll(full);
  // The first compiles.
  if (round > 0) ratios.push(without / withThem);
}
const what = `events a second with ${rules} rules and ${messages} messages on their way / without`;
process.stdout.write(`${ratioLine(what, ratios, LIMIT)}\n`);
for (const stop of stops) await stop();
await plain.close();
await full.close();
process.exit(0);

async function post(backend: TestBackend, path: string, body: unknown): Promise<{ id: string }> {
  const { status, json, text } = await backend.request('POST', path, { body });
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
  return json;
}

async function backendWith(ruleCount: number, messageCount: number): Promise<TestBackend> {
  const backend = await createTestBackend({ start: NOW });
  const meter = await post(backend, '/meters', {
    key: 'calls',
    name: 'Calls',
    event_type: 'call',
    aggregation: 'count',
  });
  const features = await Promise.all(
    ['calls', 'others'].map((key) => post(backend, '/features', { key, name: key, meter: { id: meter.id } })),
  );
  for (let index = 0; index < CUSTOMERS; index++) {
    const { id } = await post(backend, '/customers', { key: `customer-${index}`, name: 'Customer' });
    await post(backend, `/customers/${id}/entitlements`, {
      type: 'metered',
      feature: { id: features[0]?.id },
      usage_period: { interval: 'P1M' },
      issue: { amount: '1000000000' },
    });
  }
  const channel = await post(backend, '/notification/channels', {
    type: 'webhook',
    name: 'c',
    url: 'https://example.com',
  });
  for (let index = 0; index < ruleCount; index++) {
    await post(backend, '/notification/rules', {
      type: 'entitlements.balance.threshold',
      name: `Rule ${index}`,
      channels: [{ id: channel.id }],
      features: [{ id: features[index === 0 ? 0 : 1]?.id }],
      thresholds: [{ type: 'usage_percentage', value: 100 }],
    });
  }
  addMessages(backend, channel.id, messageCount);
  return backend;
}

/** Messages that are tried again tomorrow. */
function addMessages({ dataDir }: TestBackend, channelId: string, count: number): void {
  const sqlite = openSqlite(`${dataDir}/control.sqlite`);
  const event = sqlite.prepare(
    `INSERT INTO notification_events VALUES (?, 'invoice.created', 'r', 'Rule', '{}', NULL, NULL, NULL, 0, '${NOW}')`,
  );
  const delivery = sqlite.prepare(
    `INSERT INTO notification_deliveries VALUES (?, ?, 'sending', '', 1, '2026-11-22T12:00:00.000Z', NULL, '${NOW}')`,
  );
  sqlite.transaction(() => {
    for (let index = 0; index < count; index++) {
      const id = `M${String(index).padStart(25, '0')}`;
      event.run(id);
      delivery.run(id, channelId);
    }
  })();
  sqlite.close();
}

/** @returns milliseconds */
async function sendAll(backend: TestBackend): Promise<number> {
  const headers = { 'Content-Type': 'application/cloudevents-batch+json' };
  const bodies = Array.from({ length: BATCHES }, () =>
    JSON.stringify(
      Array.from({ length: BATCH }, () => {
        const id = `event-${++eventCount}`;
        const subject = `customer-${eventCount % CUSTOMERS}`;
        return { specversion: '1.0', id, source: 'bench', type: 'call', subject, time: NOW, data: {} };
      }),
    ),
  );
  const beganAtMs = performance.now();
  for (const rawBody of bodies) {
    const { status, text } = await backend.request('POST', '/events', { rawBody, headers });
    if (status !== 202) throw new Error(`${status} ${text}`);
  }
  return performance.now() - beganAtMs;
}
