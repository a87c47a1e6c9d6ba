import type { Snapshot } from './metrics.ts';
import { type AccountReport, METERED } from './served/account.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** The content type of the text format. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A snapshot in Prometheus's text exposition format, version 0.0.4. */
export function prometheusText(snapshot: Snapshot): string {
  const { dropped, spool, account } = snapshot;
  return [
    counter('metering_events_taken_total', 'Events that the gateway handed over.', snapshot.taken),
    counter('metering_events_adopted_total', 'Events taken over from a process that died.', snapshot.adopted),
    counter('metering_events_spooled_total', 'Events written to disk.', snapshot.spooled),
    counter('metering_events_sent_total', 'Events that the endpoint has accepted.', snapshot.sent),
    counter('metering_requests_retried_total', 'Requests that repeated one that had failed.', snapshot.retried),
    metric(
      'metering_events_dropped_total',
      'counter',
      'Events that will not be billed, by reason.',
      Object.entries(dropped).map(([reason, count]): Sample => [{ reason }, count]),
    ),
    counter('metering_events_dead_lettered_total', 'Refused events kept in a file.', snapshot.deadLettered),
    counter('metering_dead_letters_lost_total', 'Refused events not kept, or not any more.', snapshot.deadLettersLost),
    gauge('metering_queue_events', 'Events held: in memory, in flight or on disk.', snapshot.queueEvents),
    gauge('metering_queue_oldest_age_seconds', 'How long the oldest event has waited.', snapshot.oldestAgeSeconds),
    ...(spool === undefined
      ? []
      : [
          gauge('metering_spool_bytes', 'Bytes of the spool, of all processes.', spool.bytes),
          gauge('metering_spool_max_bytes', 'Bytes that the spool may have.', spool.maxBytes),
          counter('metering_spool_errors_total', 'Times that the disk refused something.', snapshot.spoolErrors),
          histogram('metering_spool_sync_seconds', 'How long writing and syncing a window took.', snapshot.syncs),
        ]),
    ...(account === undefined ? [] : accountMetrics(account)),
  ].join('');
}

function accountMetrics({ served, outcomes, unexplained }: AccountReport): string[] {
  const { [METERED]: metered = 0, ...notMetered } = outcomes;
  return [
    counter('metering_requests_served_total', 'Requests that the gateway served, by its own count.', served),
    counter('metering_requests_metered_total', 'Of them, those that made an event.', metered),
    metric(
      'metering_requests_not_metered_total',
      'counter',
      'Of them, those that made none, by reason.',
      Object.entries(notMetered).map(([reason, count]): Sample => [{ reason }, count]),
    ),
    gauge('metering_requests_unexplained', 'Of them, those whose log entry has not arrived.', unexplained),
  ];
}

function counter(name: string, help: string, value: number): string {
  return metric(name, 'counter', help, [[{}, value]]);
}

function gauge(name: string, help: string, value: number): string {
  return metric(name, 'gauge', help, [[{}, value]]);
}

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => sample(name, labels, value));
  return `${head(name, type, help)}${lines.join('')}`;
}

function histogram(name: string, help: string, { buckets, count, sumSeconds }: Snapshot['syncs']): string {
  const lines = buckets.map((bucket) => sample(`${name}_bucket`, { le: String(bucket.seconds) }, bucket.count));
  const rest = [sample(`${name}_bucket`, { le: '+Inf' }, count), sample(`${name}_sum`, {}, sumSeconds)];
  return `${head(name, 'histogram', help)}${lines.join('')}${rest.join('')}${sample(`${name}_count`, {}, count)}`;
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function sample(name: string, labels: Sample[0], value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
}

/** A label's value may have anything but these three as they are. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
