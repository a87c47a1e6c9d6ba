import { randomBytes } from 'node:crypto';
import { type Recording, recordings, vary } from '../test/gateway-player/index.ts';

/** A Consumer of the demo, with how much it does. */
interface DemoConsumer {
  id: string;
  username: string;
  /** Requests to each service, in the order of SERVICES. */
  requests: readonly number[];
  llmCalls: number;
}

const SERVICES = [
  { id: '356ebaf8-b7af-5cba-99a1-f392e34730ab', name: 'example-service' },
  { id: '0a20789d-ec54-5c07-8284-b66eecb35876', name: 'flights-service' },
];

const CONSUMERS: readonly DemoConsumer[] = [
  { id: 'b32379d9-3d28-5683-a79c-72139be6e34f', username: 'alice', requests: [12, 7], llmCalls: 5 },
  { id: '5b1ad6f4-6c58-5f0e-9a35-0c6a8c1d7d10', username: 'bob', requests: [25, 0], llmCalls: 0 },
  { id: '7f0f3a1c-2b77-5d4e-8a46-6a3b5b2f9e21', username: 'kong-air', requests: [6, 40], llmCalls: 9 },
];

/** How many requests the gateway reports a second time, as it does when it repeats a log call that it believes lost. */
const REPEATED = 10;

/** One log phase of the gateway: the entry that `kong.log.serialize()` gives. */
export interface LoggedRequest {
  entryJson: string;
}

/**
 * Requests of several Consumers to several services, in the shape that a real gateway recorded: entries differ from the
 * recordings in request id, time, Consumer and service only.
 * @param startMs the first request; the others follow a millisecond each
 */
export function demoTraffic(startMs: number): { requests: LoggedRequest[]; repeated: LoggedRequest[] } {
  const api = plainRequest();
  const llm = llmCall();
  const requests: LoggedRequest[] = [];
  for (const consumer of CONSUMERS) {
    for (const [index, service] of SERVICES.entries()) {
      for (let count = consumer.requests[index] ?? 0; count > 0; count--)
        requests.push(request(api, consumer, startMs + requests.length, service));
    }
    for (let count = consumer.llmCalls; count > 0; count--)
      requests.push(request(llm, consumer, startMs + requests.length));
  }
  return { requests, repeated: requests.slice(0, REPEATED) };
}

function request(
  recording: Recording,
  { id, username }: DemoConsumer,
  startedAtMs: number,
  service?: { id: string; name: string },
): LoggedRequest {
  const requestId = randomBytes(16).toString('hex');
  const variation = { requestId, startedAtMs, consumer: { id, username }, ...(service && { service }) };
  return { entryJson: vary(recording.json, variation) };
}

/** A request of an authenticated Consumer that the upstream answered with 200. */
function plainRequest(): Recording {
  return find('msgpack-log-only', () => true);
}

/** An LLM call with a plain answer: its token counts are exact. */
function llmCall(): Recording {
  return find(
    'ai-payloads-log-serialize',
    (json) => json.includes('"prompt_tokens_details') || json.includes('\\"stream\\":false'),
  );
}

function find(source: string, matches: (json: string) => boolean): Recording {
  const found = recordings().find((recording) => recording.source === source && matches(recording.json));
  if (found === undefined) throw new Error(`no recording of ${source} fits`);
  return found;
}
