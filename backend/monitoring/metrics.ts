import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { IngestOutcome } from '../metering/events/index.ts';
import type { UsageWatch } from '../metering/usage-store/index.ts';
import type { MeasuredRequest } from '../platform/http/measure-requests.ts';

/**
 * What the backend counts of itself, in Prometheus's terms. Labels have few values, which no client chooses: routes as
 * registered, statuses, kinds of queries, names of jobs. No subject, customer, token or id is ever one.
 */
export interface Metrics {
  registry: Registry;
  usage: UsageWatch;
  onIngest(outcome: IngestOutcome): void;
  onRequest(request: MeasuredRequest): void;
}

const PREFIX = 'metering_backend_';
/** From a lookup in memory to a query over years. */
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];
/** From a fast SSD to a disk that hangs. */
const COMMIT_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const QUERY_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** @param registry of this backend alone: several may run in one process */
export function createMetrics(registry = new Registry()): Metrics {
  const ingested = counter(registry, 'ingest_events_total', 'Events of ingest requests, by what became of them.', [
    'outcome',
  ]);
  const requests = counter(registry, 'http_requests_total', 'Answered requests.', ['method', 'route', 'status']);
  const requestSeconds = histogram(registry, 'http_request_duration_seconds', 'From request to answer.', {
    labelNames: ['method', 'route'],
    buckets: REQUEST_SECONDS,
  });
  const commits = histogram(registry, 'commit_duration_seconds', 'Transactions of events, from begin to disk.', {
    labelNames: [],
    buckets: COMMIT_SECONDS,
  });
  const committed = counter(registry, 'commit_events_total', 'Events in these transactions, duplicates included.');
  const queries = counter(registry, 'queries_total', 'Questions to the usage store, by how they ended.', [
    'kind',
    'outcome',
  ]);
  const querySeconds = histogram(registry, 'query_duration_seconds', 'Answered questions, with their wait.', {
    labelNames: ['kind'],
    buckets: QUERY_SECONDS,
  });
  return {
    registry,
    usage: {
      onCommit: ({ events, tookMs }) => {
        commits.observe(tookMs / 1000);
        committed.inc(events);
      },
      onQuestion: ({ kind, outcome, tookMs }) => {
        queries.inc({ kind, outcome });
        if (outcome === 'answered') querySeconds.observe({ kind }, tookMs / 1000);
      },
    },
    onIngest: ({ accepted, duplicate, rejected, postponed }) => {
      for (const [outcome, events] of Object.entries({ accepted, duplicate, rejected, postponed })) {
        ingested.inc({ outcome }, events);
      }
    },
    onRequest: ({ method, route, status, tookMs }) => {
      requests.inc({ method, route, status });
      requestSeconds.observe({ method, route }, tookMs / 1000);
    },
  };
}

/** A gauge of the backend. */
export function gauge(registry: Registry, name: string, help: string, labelNames: string[] = []): Gauge<string> {
  return new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });
}

/** A counter of the backend. */
export function counter(registry: Registry, name: string, help: string, labelNames: string[] = []): Counter<string> {
  return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });
}

function histogram(
  registry: Registry,
  name: string,
  help: string,
  options: { labelNames: string[]; buckets: number[] },
): Histogram<string> {
  return new Histogram({ name: `${PREFIX}${name}`, help, registers: [registry], ...options });
}

let processRegistry: Registry | undefined;

/** CPU, memory, event loop, garbage collection. Of the process, so there is one: its observers run until it ends. */
export function processMetrics(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}
