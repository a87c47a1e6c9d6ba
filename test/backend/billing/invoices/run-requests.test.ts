import { expect, test } from 'vitest';
import { createTestBackend } from '../../../support/backend.ts';

test('a run that is asked for at any moment of the work on another is done by it, or after it', async () => {
  const backend = await createTestBackend();
  const { runner } = backend.billingRuns;
  for (let turns = 0; turns < 40; turns++) {
    const first = runner.work();
    for (let turn = 0; turn < turns; turn++) await undefined;
    const { id } = await runner.request({ isFull: false, startedBy: 'api' });
    await runner.work();
    const { stage } = (await backend.request('GET', `/billing/runs/${id}`)).json;
    expect({ turns, stage }).toEqual({ turns, stage: 'finished' });
    await first;
  }
  await backend.close();
});
