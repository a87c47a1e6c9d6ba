import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestBackend, type TestBackend } from '../../../support/backend.ts';

// One event, meter or piece of upkeep that fails never holds up another: a failure is planted in each.
const PATTERN = "$.items[?search(@.path,'(a|a)*b')]";
let backend: TestBackend;
let lastId = 0;
beforeAll(async () => {
  backend = await createTestBackend();
});
afterAll(() => backend.close());

const inUsage = (statement: string) => {
  const db = new SqliteDatabase(join(backend.dataDir, 'usage.sqlite'));
  const { changes } = db.prepare(statement).run();
  db.close();
  return changes;
};
const meter = async (key: string, fields: object) => {
  const body = { key, name: key, aggregation: 'sum', event_type: 't', value_property: '$.v', ...fields };
  const answer = await backend.request('POST', '/meters', { body });
  expect(answer.status).toBe(201);
  return answer.json.id as string;
};
const figure = async (id: string) => {
  const answer = await backend.request('POST', `/meters/${id}/query`, { body: {} });
  expect(answer.status).toBe(200);
  return answer.json.data[0]?.value;
};
const send = async (count: number, data: object = { v: 1 }) => {
  const body = Array.from({ length: count }, () => ({ id: `${++lastId}`, source: 's', type: 't', subject: 'x', data }));
  expect((await backend.request('POST', '/events', { body })).status).toBe(202);
};
const settled = () =>
  expect
    .poll(async () => {
      const { unfoldedEvents, backFillEventsLeft, quartersToRecompute } = await backend.usage.upkeep();
      return [unfoldedEvents, backFillEventsLeft, quartersToRecompute];
    })
    .toEqual([0, 0, 0]);
const verified = async () => expect((await backend.usage.verify()).differences).toEqual([]);

test('a failure in ingest, fold, back-fill or a correction is one of what has it, and of nothing else', async () => {
  const good = await meter('good', { dimensions: { route: '$.route' } });
  const other = await meter('other', { aggregation: 'max' });
  const deepest = await meter('deepest', { value_property: '$..tokens' });
  // As a program of before could store it.
  const stored = await meter('stored', { value_property: '$.w' });
  await sql`UPDATE meters SET value_property = ${PATTERN} WHERE id = ${stored}`.execute(backend.db.kysely);
  await backend.request('PUT', `/meters/${good}`, { body: { name: 'Good', dimensions: { route: '$.route' } } });

  // Ingest: an event that is nested deep, and one for which a pattern would run for ever.
  let deep: object = { tokens: 5 };
  for (let level = 0; level < 55; level++) deep = { below: deep };
  await send(20);
  await send(1, { v: 1, ...deep });
  await send(1, { v: 1, items: [{ path: `${'a'.repeat(41)}c` }] });
  expect([await figure(good), await figure(other), await figure(deepest)]).toEqual(['22', '1', '5']);
  expect(await figure(stored)).toBeUndefined();
  const { json } = await backend.request('GET', '/events?page[size]=1');
  expect(json.data[0].validation_errors.map(({ message }: { message: string }) => message)).toContainEqual(
    `meter "stored", value property "${PATTERN}": the path is not a JSONPath that a meter can use: functions are not supported: search at character 16`,
  );
  await settled();

  // Fold: what a transaction has added to one series cannot be read any more.
  await send(10);
  const one = '(SELECT delta_id FROM rollup_deltas WHERE contributions IS NOT NULL LIMIT 1)';
  await expect
    .poll(async () => {
      const changed = inUsage(`UPDATE rollup_deltas SET contributions = x'00' WHERE delta_id = ${one}`);
      if (changed === 0) await send(1);
      return changed;
    })
    .toBe(1);
  await send(10);
  await settled();
  const count = `${lastId}`;
  expect([await figure(good), await figure(other)]).toEqual([count, '1']);
  await verified();

  // Back-fill: a stored event whose data is none. A meter that comes later counts all the others.
  expect(inUsage("UPDATE events SET data = '{' WHERE row_id = 3")).toBe(1);
  const late = await meter('late', { dimensions: { route: '$.w' } });
  await settled();
  expect(await figure(late)).toBe(String(lastId - 1));
  const listed = await backend.request('GET', '/events?filter[id]=3');
  expect(listed.json.data[0].validation_errors).toContainEqual({
    code: 'validation_error',
    message: 'the stored data of the event is not JSON',
  });

  // Correction: of that event, and of another.
  for (const id of ['3', '4']) {
    const body = { action: 'void', reason: 'planted', filter: { id: { eq: id } } };
    const answer = await backend.request('POST', '/events/corrections', { body });
    expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  }
  await settled();
  expect([await figure(late), await figure(good)]).toEqual([String(lastId - 2), String(lastId - 2)]);
  await verified();
});
