import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An ingest endpoint that counts, and can be down. */
export interface CountingReceiver {
  readonly url: string;
  /** Events that were accepted, by the numbers that their batches say. */
  readonly accepted: number;
  isDown: boolean;
  close(): void;
}

export async function startCountingReceiver(): Promise<CountingReceiver> {
  const state = { accepted: 0, isDown: false };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (!state.isDown) state.accepted += eventsOf(String(request.headers['metering-sequence'] ?? ''));
      response.writeHead(state.isDown ? 503 : 202).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/openmeter/events`,
    get accepted() {
      return state.accepted;
    },
    get isDown() {
      return state.isDown;
    },
    set isDown(isDown) {
      state.isDown = isDown;
    },
    close: () => void server.close(),
  };
}

/** "1-100,105" are 101 events. */
function eventsOf(sequence: string): number {
  const ranges = sequence.split(',').map((range) => range.split('-').map(Number));
  return ranges.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}
