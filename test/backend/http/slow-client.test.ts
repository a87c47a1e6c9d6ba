import { expect, onTestFinished, test, vi } from 'vitest';
import { jsonStream } from '../../../backend/platform/http/json-answer.ts';

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
