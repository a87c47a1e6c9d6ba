/**
 * Turns of the event loop. While one lasts nobody else is answered, and an `await` alone does not end it: what is known at
 * once goes on in the same turn. Work whose size comes from data asks here between its steps, and gives way when the
 * turn has been used up by whoever; each thread has turns of its own.
 */

/** What a turn may compute before it is given up: little beside the wait for a disk, much beside what a turn itself costs. */
const TURN_MS = 5;

/** Undefined until somebody asks in a turn. */
let beganAtMs: number | undefined;
let isNextComing = false;
/** Who has given way goes on in this order, one in each turn: so no turn is as long as there are many. */
const waiting: (() => void)[] = [];

/** Whether to give way before the next step. */
export function isTurnUsedUp(): boolean {
  const nowMs = performance.now();
  if (beganAtMs === undefined) {
    beganAtMs = nowMs;
    awaitNext();
  }
  return nowMs - beganAtMs >= TURN_MS;
}

/** Lets everybody else have a turn, and goes on in one of its own. */
export function nextTurn(): Promise<void> {
  awaitNext();
  return new Promise((resolve) => waiting.push(resolve));
}

function awaitNext(): void {
  if (isNextComing) return;
  isNextComing = true;
  setImmediate(begin);
}

function begin(): void {
  isNextComing = false;
  beganAtMs = undefined;
  const next = waiting.shift();
  if (waiting.length > 0) awaitNext();
  next?.();
}
