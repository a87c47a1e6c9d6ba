import { expect, test } from 'vitest';
import { createManualClock } from '../../support/plugin/manual-clock.ts';
import { createRig, event, serve, until } from '../../support/plugin/rig.ts';

test('an event leaves without another one to follow it, whenever time passes between two looks at the clock', async () => {
  const server = await serve();
  let isMissed = false;
  for (let at = 0; !isMissed; at++) {
    const manual = createManualClock();
    let looks = -1;
    // The delay passes right after one of the looks: a pause of the collector, or a busy machine.
    const clock = {
      ...manual,
      now() {
        const now = manual.now() + (looks > at ? 10 : 0);
        if (looks >= 0) looks++;
        return now;
      },
    };
    const rig = createRig(server.url, { clock, timeoutMs: 1e9, queue: { maxCoalescingDelayMs: 10 } });
    looks = 0;
    rig.delivery.push(event(`at-${at}`));
    await until(() => {
      manual.advance(1);
      expect(rig.deliveries.counters()).toMatchObject({ sent: 1, waiting: 0 });
    });
    // Past the last look of all nothing is tested any more.
    isMissed = looks <= at || at > 40;
  }
});
