import { expect, onTestFinished, test, vi } from 'vitest';
import { requireAnswerRoom } from '../../../backend/platform/http/answer-room.ts';
import { jsonStream } from '../../../backend/platform/http/json-answer.ts';
import { bytesAsTaken } from '../../../backend/platform/http/slow-client.ts';
import { createTestBackend } from '../../support/backend.ts';

const value = { data: Array.from({ length: 1000 }, (_, index) => ({ index, text: 'x'.repeat(1000) })) };

test('a long answer is the same text in pieces', async () => {
  expect(await new Response(jsonStream(value)).json()).toEqual(value);
});

test('a client that takes nothing of a long answer for a minute is left; one that is slow is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const reader = jsonStream(value).getReader();
  for (let minute = 0; minute < 3; minute++) {
    expect((await reader.read()).done).toBe(false);
    vi.advanceTimersByTime(59_000);
  }
  vi.advanceTimersByTime(61_000);
  // What was ready for it is lost with the rest.
  await expect(reader.read()).rejects.toThrow('took nothing of the answer');
  expect(vi.getTimerCount()).toBe(0);
});

test('nothing is watched of an answer that was taken, or whose client has gone', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await new Response(jsonStream(value)).text();
  const left = jsonStream(value).getReader();
  await left.read();
  await left.cancel();
  expect(vi.getTimerCount()).toBe(0);
});

test('a file is the same in pieces', async () => {
  const file = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  expect(Buffer.from(await new Response(bytesAsTaken(file)).arrayBuffer()).equals(file)).toBe(true);
});

test('answers of any kind that are not taken are bounded together; a change is answered all the same', async () => {
  const backend = await createTestBackend();
  const invoice = async (method: string, path: string) =>
    (
      await backend.app.request(`/v3/openmeter${path}`, {
        method,
        headers: { authorization: 'Bearer test-admin-token-0123456789', 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{}' }),
      })
    ).status;
  const held = [
    // The objects of the answer take about twice as much as its text.
    ...Array.from({ length: 40 }, () => jsonStream(value)),
    ...Array.from({ length: 30 }, () => bytesAsTaken(new Uint8Array(2 * 1024 * 1024))),
  ];
  try {
    expect(() => requireAnswerRoom()).toThrow(/Try again/);
    expect(await invoice('GET', '/billing/invoices/01G65Z755AFWAKHE12NY0CQ9FH/document')).toBe(503);
    // What is short is answered.
    expect(await invoice('GET', '/meters')).toBe(200);
    await Promise.all(held.splice(0, 40).map((body) => body.cancel()));
    expect(await invoice('GET', '/billing/invoices/01G65Z755AFWAKHE12NY0CQ9FH/document')).toBe(404);
  } finally {
    await Promise.all(held.map((body) => body.cancel()));
    await backend.close();
  }
});
