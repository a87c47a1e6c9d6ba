import { expect, onTestFinished, test, vi } from 'vitest';
import { type AnswerBody, type AnswerText, startAnswer } from '../../../../backend/metering/meters/answer-stream.ts';
import type { UsageRow } from '../../../../backend/metering/usage-store/index.ts';

const text: AnswerText = { head: '[', row: ({ value }) => value, separator: ',', tail: ']' };
const rows = (...values: string[]): UsageRow[] =>
  values.map((value) => ({ fromMs: 0, toMs: 0, value, dimensions: {} }) as UsageRow);

function answerOf(...parts: string[][]): AnswerBody {
  const writer = startAnswer(text);
  for (const part of parts) writer.write(rows(...part));
  return writer.end();
}

const textOf = (body: AnswerBody) => new Response(body).text();

test('an answer that comes in parts is the same as one that comes at once', async () => {
  expect(await textOf(answerOf())).toBe('[]');
  expect(await textOf(answerOf([]))).toBe('[]');
  expect(await textOf(answerOf(['1', '2']))).toBe('[1,2]');
  expect(await textOf(answerOf(['1', '2'], [], ['3'], ['4', '5']))).toBe('[1,2,3,4,5]');
});

/** Thirty pieces of 1 MiB. */
const long = () =>
  answerOf(...Array.from({ length: 30 }, () => ['x'.repeat(1024 * 1024)])) as ReadableStream<Uint8Array>;

test('while slow clients hold too much, a new answer is refused with 503; one that leaves makes room', async () => {
  const held = Array.from({ length: 5 }, long);
  expect(() => startAnswer(text)).toThrow(/Long answers wait for clients/);
  await held[0]?.cancel();
  expect(await textOf(held[1] ?? '')).toHaveLength(30 * 1024 * 1024 + 31);
  expect(await textOf(answerOf(['1']))).toBe('[1]');
  for (const body of held.slice(2)) await body.cancel();
});

test('a client that takes nothing for a minute is left, and holds nothing any more', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const held = Array.from({ length: 5 }, long);
  expect(() => startAnswer(text)).toThrow(/Try again/);
  const reader = held[0]?.getReader();
  vi.advanceTimersByTime(59_000);
  expect((await reader?.read())?.done).toBe(false);
  vi.advanceTimersByTime(59_000);
  expect((await reader?.read())?.done).toBe(false);
  vi.advanceTimersByTime(60_000);
  await expect(reader?.read().then(() => reader.read())).rejects.toThrow('took nothing of the answer');
  expect(await textOf(answerOf(['1']))).toBe('[1]');
});
