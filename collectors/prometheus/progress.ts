import type { Cursor, CursorChange } from '../core/source.ts';
import { keyOf } from './metric.ts';
import type { Progress } from './windows.ts';

export function progressOf(cursor: Cursor, name: string): Progress | undefined {
  const text = cursor.get(keyOf('progress', name));
  if (text === undefined) return undefined;
  const [sinceMs, upToMs, gapFromMs] = JSON.parse(text) as [number, number, number | null];
  return { sinceMs, upToMs, gapFromMs: gapFromMs ?? undefined };
}

export function progressChange(name: string, { sinceMs, upToMs, gapFromMs }: Progress): CursorChange {
  return { key: keyOf('progress', name), value: JSON.stringify([sinceMs, upToMs, gapFromMs ?? null]) };
}
