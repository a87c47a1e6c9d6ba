// Run as a process of its own: stores events as fast as it can, and says after each batch which ones are on disk. Beside
// that it makes events void and counts them again, and says after each correction that it was begun.
import { openUsageAt } from '../../../support/usage-engines.ts';
import { CORRECTION_SLICE_EVENTS, METERS, meteredEvent, SMALL_SIZES } from './storing.ts';

const [address = '', round = ''] = process.argv.slice(2);
const store = await openUsageAt(
  address,
  { nowMs: () => Date.now() },
  {
    rollups: SMALL_SIZES,
    correctionSliceEvents: CORRECTION_SLICE_EVENTS,
  },
);
await store.syncMeters(METERS);
correctForEver();
for (let next = 0; ; ) {
  // Several requests at a time share their transactions.
  const requests = Array.from({ length: 4 }, () =>
    Array.from({ length: 1 + Math.floor(Math.random() * 40) }, () => meteredEvent(Number.parseInt(round, 10), next++)),
  );
  await Promise.all(
    requests.map(async (events) => {
      await store.append(events);
      process.stdout.write(`${events.map((event) => event.id).join('\n')}\n`);
    }),
  );
}

async function correctForEver(): Promise<void> {
  for (let number = 1; ; number++) {
    const id = `${round}-${number}`;
    const day = 1 + Math.floor(Math.random() * 40);
    const instant = (days: number) => new Date(Date.parse('2026-11-01T00:00:00Z') + days * 86_400_000).toISOString();
    await store.corrections.correct({
      id,
      action: number % 3 === 0 ? 'restore' : 'void',
      reason: 'a test',
      madeBy: 'a test',
      note: '{}',
      selection: {
        filters: [
          { field: 'time', operator: 'gte', values: [instant(day)] },
          { field: 'time', operator: 'lt', values: [instant(day + 1 + (number % 9))] },
        ],
        subjects: [`subject-${number % 7}`],
      },
    });
    process.stdout.write(`!${id}\n`);
  }
}
