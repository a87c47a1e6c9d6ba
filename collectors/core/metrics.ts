import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '../../delivery/clock.ts';
import type { RunningCollector } from './collector.ts';
import type { Spool } from './spool.ts';

/** A figure of each collector. */
interface Told {
  readonly Kind: typeof Counter | typeof Gauge;
  readonly name: string;
  readonly help: string;
  /** @returns undefined where there is nothing to say */
  readonly read: (one: RunningCollector, clock: Clock) => number | undefined;
}

/** Counts of each collector by why. */
interface ToldReasons {
  readonly name: string;
  readonly help: string;
  readonly read: (one: RunningCollector) => Readonly<Record<string, number>>;
}

const FIGURES: readonly Told[] = [
  {
    Kind: Counter,
    name: 'openmeter_event_received',
    help: 'Records taken from the source.',
    read: ({ intake }) => intake.counts.received,
  },
  {
    Kind: Counter,
    name: 'openmeter_events_sent',
    help: 'Events that the endpoint took.',
    read: ({ sender }) => sender.counts.sent,
  },
  { Kind: Counter, name: 'batch_created', help: 'Batches made.', read: ({ sender }) => sender.counts.batchesCreated },
  {
    Kind: Counter,
    name: 'batch_sent',
    help: 'Batches that the endpoint answered for.',
    read: ({ sender }) => sender.counts.batchesSent,
  },
  {
    Kind: Counter,
    name: 'buffer_batch_received',
    help: 'Events put into the spool.',
    read: ({ part }) => part.counts.taken,
  },
  {
    Kind: Counter,
    name: 'buffer_batch_sent',
    help: 'Events that left the spool.',
    read: ({ part }) => part.counts.taken - part.counts.events,
  },
  {
    Kind: Counter,
    name: 'buffer_latency_ns',
    help: 'Time that sent events had waited, in all.',
    read: ({ sender }) => sender.counts.latencyMs * 1e6,
  },
  {
    Kind: Counter,
    name: 'collector_requests_retried_total',
    help: 'Requests that repeated one that had failed.',
    read: ({ sender }) => sender.counts.retried,
  },
  {
    Kind: Gauge,
    name: 'collector_source_lag_seconds',
    help: 'Up to so long ago all is taken.',
    read: ({ state }, clock) => secondsSince(clock, state.upToMs),
  },
  {
    Kind: Gauge,
    name: 'collector_ticks_open',
    help: 'Slices or objects that wait for the source.',
    read: ({ state }) => state.open,
  },
  {
    Kind: Gauge,
    name: 'collector_source_reached',
    help: 'Whether the source answered last.',
    read: ({ state }) => (state.isReached ? 1 : 0),
  },
  { Kind: Gauge, name: 'collector_spool_events', help: 'Events that wait.', read: ({ part }) => part.counts.events },
  {
    Kind: Gauge,
    name: 'collector_spool_bytes',
    help: 'Bytes of the events that wait.',
    read: ({ part }) => part.counts.bytes,
  },
  {
    Kind: Gauge,
    name: 'collector_oldest_event_seconds',
    help: 'How long the oldest event has waited.',
    read: ({ sender }, clock) => secondsSince(clock, sender.oldestAtMs()) ?? 0,
  },
];

const REASONS: readonly ToldReasons[] = [
  {
    name: 'collector_dead_letters_total',
    help: 'Records that made no event, and events that were refused.',
    read: ({ part }) => ({ unmapped: part.counts.unmapped, rejected: part.counts.rejected }),
  },
  { name: 'collector_incomplete_total', help: 'What will never be complete.', read: ({ state }) => state.incomplete },
];

/**
 * What `/metrics` says, in Prometheus' text format. The names without a prefix are those of OpenMeter's collector, so that
 * dashboards stay; `collector_…` are ours. Each has the label `collector`.
 */
export function createMetrics(collectors: readonly RunningCollector[], spool: Spool, clock: Clock): Registry {
  const registry = new Registry();
  for (const told of FIGURES) addFigure(registry, told, collectors, clock);
  for (const told of REASONS) addReasons(registry, told, collectors);
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

function addFigure(
  registry: Registry,
  { Kind, name, help, read }: Told,
  collectors: readonly RunningCollector[],
  clock: Clock,
): void {
  const metric = new Kind({
    name,
    help,
    labelNames: ['collector'],
    registers: [registry],
    collect() {
      metric.reset();
      for (const one of collectors) {
        const value = read(one, clock);
        if (value !== undefined) metric.inc({ collector: one.name }, value);
      }
    },
  });
}

function addReasons(
  registry: Registry,
  { name, help, read }: ToldReasons,
  collectors: readonly RunningCollector[],
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

function secondsSince(clock: Clock, atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : Math.max(0, clock.epochMs() - atMs) / 1000;
}
