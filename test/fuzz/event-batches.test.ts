import { expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../support/backend.ts';
import { createRandom, type Random } from '../support/random.ts';
import { createValues, type Values } from './support/values.ts';

const LONG = process.env['LONG'] === '1';
const BATCHES = LONG ? 20_000 : 300;
const SEED = Number(process.env['FUZZ_SEED'] ?? (LONG ? Date.now() % 1_000_000 : 1));
const TIME = '2026-11-21T10:00:00Z';

/** What must be counted: every event that was accepted, once. */
interface Model {
  /** By source and id. */
  stored: Map<string, { value: bigint; isClean: boolean }>;
  duplicates: number;
}

interface Made {
  text: string;
  type: string;
  isLenient: boolean;
}

test(`mutated event batches: what is accepted counts once, what is refused not at all (FUZZ_SEED=${SEED})`, async () => {
  const backend = await createTestBackend();
  const random = createRandom(SEED);
  const values = createValues(
    random,
    () => ({}),
    () => 'x',
  );
  for (const [key, aggregation] of [
    ['counted', 'count'],
    ['summed', 'sum'],
  ] as const) {
    const property = aggregation === 'sum' ? { value_property: '$.value' } : {};
    const body = { key, name: key, event_type: 'clean', aggregation, ...property };
    expect((await backend.request('POST', '/meters', { body })).status).toBe(201);
  }
  const model: Model = { stored: new Map(), duplicates: 0 };
  let accepted = 0;
  for (let count = 0; count < BATCHES; count += 1) {
    const made = makeBatch(random, values);
    accepted += await sendBatch(backend, made, model);
  }
  // Neither is the batch always refused, nor always taken.
  expect(accepted).toBeGreaterThan(BATCHES / 10);
  expect(accepted).toBeLessThan(BATCHES);
  await expectMeters(backend, model);
  await backend.close();
});

/** Sends a batch and holds the totals against the model. @returns 1 when it was accepted */
async function sendBatch(backend: TestBackend, { text, type, isLenient }: Made, model: Model): Promise<number> {
  const headers = { 'Content-Type': type, ...(isLenient && { Prefer: 'handling=lenient' }) };
  const answer = await backend.request('POST', '/events', { rawBody: text, headers });
  expect({ text, status: answer.status }).toEqual({ text, status: expect.toBeOneOf([202, 400]) });
  if (answer.status === 202) {
    const rejected = new Set((answer.json?.rejected ?? []).map(({ index }: { index: number }) => index));
    const events = [JSON.parse(text)].flat() as {
      source: string;
      id: string;
      type: string;
      data?: { value?: unknown };
    }[];
    for (const [index, event] of events.entries()) if (!rejected.has(index)) take(model, event);
  }
  const { json } = await backend.request('GET', '/ingest-totals');
  const { stored, duplicates } = { stored: model.stored.size, duplicates: model.duplicates };
  expect({ text, totals: json }).toEqual({ text, totals: { received: stored + duplicates, stored, duplicates } });
  return answer.status === 202 ? 1 : 0;
}

function take(model: Model, event: { source: string; id: string; type: string; data?: { value?: unknown } }): void {
  const key = JSON.stringify([event.source, event.id]);
  if (model.stored.has(key)) {
    model.duplicates += 1;
    return;
  }
  const isClean = event.type === 'clean';
  model.stored.set(key, { isClean, value: isClean ? thousandths(String(event.data?.value)) : 0n });
}

/** "12.5" as 12500. */
function thousandths(text: string): bigint {
  const [whole = '0', decimals = ''] = text.split('.');
  return BigInt(whole + decimals.padEnd(3, '0'));
}

async function expectMeters(backend: TestBackend, model: Model): Promise<void> {
  const clean = [...model.stored.values()].filter(({ isClean }) => isClean);
  const sum = clean.reduce((total, { value }) => total + value, 0n);
  const { json: meters } = await backend.request('GET', '/meters');
  for (const { id, key } of meters.data as { id: string; key: string }[]) {
    const body = { from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z' };
    const { json } = await backend.request('POST', `/meters/${id}/query`, { body });
    const value = String(json.data[0]?.value ?? '0');
    if (key === 'counted') expect(value).toBe(String(clean.length));
    if (key === 'summed') expect(thousandths(value)).toBe(sum);
  }
}

function makeBatch(random: Random, values: Values): Made {
  const events = Array.from({ length: random.between(1, 6) }, () => makeEvent(random));
  const kind = random.next();
  if (kind < 0.5) mutate(events, random, values);
  const isSingle = random.next() < 0.2;
  let text = isSingle ? (events[0] ?? '{}') : `[${events.join(',')}]`;
  if (kind > 0.97) text = text.slice(0, random.between(0, text.length - 1));
  const right = isSingle ? 'application/cloudevents+json' : 'application/cloudevents-batch+json';
  return { text, type: random.next() < 0.7 ? right : 'application/json', isLenient: random.next() < 0.4 };
}

/** As JSON text. Few ids: many come twice, in one batch or in two. */
function makeEvent(random: Random): string {
  const value = `${random.between(0, 99)}${random.pick(['', '.5', '.125'])}`;
  return JSON.stringify({
    specversion: '1.0',
    id: `e${random.between(1, LONG ? 50_000 : 1000)}`,
    source: random.pick(['one', 'two']),
    type: 'clean',
    subject: random.pick(['alice', 'bob']),
    time: TIME,
    data: { value: random.pick<string | number>([value, Number(value)]) },
  });
}

/** Breaks some fields of some events, each of which then is of a type that no meter adds up. */
function mutate(events: string[], random: Random, values: Values): void {
  for (const [index, event] of events.entries()) {
    if (random.next() < 0.5) continue;
    const fields = JSON.parse(event) as Record<string, unknown>;
    fields['type'] = 'hostile';
    const name = random.pick([
      'id',
      'source',
      'specversion',
      'subject',
      'time',
      'data',
      'dataschema',
      'extension',
      '__proto__',
    ]);
    delete fields[name];
    const rest = JSON.stringify(fields).slice(1);
    events[index] = random.next() < 0.2 ? `{${rest}` : `{${JSON.stringify(name)}:${values.hostile()},${rest}`;
  }
}
