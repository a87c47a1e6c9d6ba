import { send } from '../answers.ts';
import type { TestBackend } from '../backend.ts';

let eventCount = 0;

/** Events of a type, all at one instant, with ids of their own. */
export async function sendEvents(
  t: TestBackend,
  type: string,
  subject: string,
  time: string,
  values: readonly unknown[],
): Promise<void> {
  const events = values.map((value) => {
    eventCount += 1;
    return { specversion: '1.0', id: `e${eventCount}`, source: 'test', type, subject, time, data: { value } };
  });
  await send(t, 'POST', '/events', events, 202);
}
