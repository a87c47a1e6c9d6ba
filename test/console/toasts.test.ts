import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { toastDone, toastFailed, useToasts } from '../../console/ui/toasts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what was done goes away by itself, what could not be done stays until it is dismissed', () => {
  const { toasts, dismiss } = useToasts();
  toastDone('Saved.');
  toastFailed(new Error('The plan is in use.'));
  expect(toasts.value.map(({ text }) => text)).toEqual(['Saved.', 'The plan is in use.']);
  vi.advanceTimersByTime(3_600_000);
  expect(toasts.value.map(({ text }) => text)).toEqual(['The plan is in use.']);
  dismiss(toasts.value[0]?.key ?? 0);
  expect(toasts.value).toEqual([]);
});
