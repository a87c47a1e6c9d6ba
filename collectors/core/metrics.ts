import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '../../delivery/clock.ts';
import type { RunningCollector } from './collector.ts';
import type { Spool } from './spool.ts';

/**
 * What `/metrics` says, in Prometheus' text format. The names without a prefix are those of OpenMeter's collector, so that
 * dashboards stay; `collector_…` are ours. Each has the label `collector`.
 */
export function createMetrics(collectors: readonly RunningCollector[], spool: Spool, clock: Clock): Registry {
  const registry = new Registry();
  const labelNames = ['collector'];

  function add(
    Kind: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    read: (one: RunningCollector) => number | undefined,
  ): void {
    const metric = new Kind({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        metric.reset();
        for (const one of collectors) {
          const value = read(one);
          if (value !== undefined) metric.inc({ collector: one.name }, value);
        }
      },
    });
  }

  const since = (atMs: number | undefined) =>
    atMs === undefined ? undefined : Math.max(0, clock.epochMs() - atMs) / 1000;
  add(Counter, 'openmeter_event_received', 'Records taken from the source.', ({ intake }) => intake.counts.received);
  add(Counter, 'openmeter_events_sent', 'Events that the endpoint took.', ({ sender }) => sender.counts.sent);
  add(Counter, 'batch_created', 'Batches made.', ({ sender }) => sender.counts.batchesCreated);
  add(Counter, 'batch_sent', 'Batches that the endpoint answered for.', ({ sender }) => sender.counts.batchesSent);
  add(Counter, 'buffer_batch_received', 'Events put into the spool.', ({ part }) => part.counts.taken);
  add(
    Counter,
    'buffer_batch_sent',
    'Events that left the spool.',
    ({ part }) => part.counts.taken - part.counts.events,
  );
  add(
    Counter,
    'buffer_latency_ns',
    'Time that sent events had waited, in all.',
    ({ sender }) => sender.counts.latencyMs * 1e6,
  );
  add(
    Counter,
    'collector_requests_retried_total',
    'Requests that repeated one that had failed.',
    ({ sender }) => sender.counts.retried,
  );
  add(Gauge, 'collector_source_lag_seconds', 'Up to so long ago all is taken.', ({ state }) => since(state.upToMs));
  add(Gauge, 'collector_ticks_open', 'Slices or objects that wait for the source.', ({ state }) => state.open);
  add(Gauge, 'collector_source_reached', 'Whether the source answered last.', ({ state }) => (state.isReached ? 1 : 0));
  add(Gauge, 'collector_spool_events', 'Events that wait.', ({ part }) => part.counts.events);
  add(Gauge, 'collector_spool_bytes', 'Bytes of the events that wait.', ({ part }) => part.counts.bytes);
  add(
    Gauge,
    'collector_oldest_event_seconds',
    'How long the oldest event has waited.',
    ({ sender }) => since(sender.oldestAtMs()) ?? 0,
  );
  addReasons(
    registry,
    'collector_dead_letters_total',
    'Records that made no event, and events that were refused.',
    collectors,
    ({ part }) => ({
      unmapped: part.counts.unmapped,
      rejected: part.counts.rejected,
    }),
  );
  addReasons(
    registry,
    'collector_incomplete_total',
    'What will never be complete.',
    collectors,
    ({ state }) => state.incomplete,
  );
  const room: Gauge = new Gauge({
    name: 'collector_spool_max_bytes',
    help: 'Bytes that may wait before sources have to.',
    registers: [registry],
    collect() {
      room.set(spool.maxBytes);
    },
  });
  return registry;
}

function addReasons(
  registry: Registry,
  name: string,
  help: string,
  collectors: readonly RunningCollector[],
  read: (one: RunningCollector) => Readonly<Record<string, number>>,
): void {
  const metric = new Counter({
    name,
    help,
    labelNames: ['collector', 'reason'],
    registers: [registry],
    collect() {
      metric.reset();
      for (const one of collectors) {
        for (const [reason, count] of Object.entries(read(one))) metric.inc({ collector: one.name, reason }, count);
      }
    },
  });
}
