import type { Source } from '../core/source.ts';
import { sourceKind } from '../core/source-kind.ts';
import { type Settings, schema } from './settings.ts';

/** Series of a Prometheus, or of a server with its query API: each series and window of time once. */
export const prometheus = sourceKind<Settings>({ schema, create });

function create(settings: Settings): Source {
  // What asks and counts is loaded by who collects only.
  return {
    async run(context) {
      const { collectPrometheus } = await import('./collect-prometheus.ts');
      await collectPrometheus(settings, context);
    },
    async backfill(context, span) {
      const { backfillPrometheus } = await import('./collect-prometheus.ts');
      await backfillPrometheus(settings, context, span);
    },
  };
}
