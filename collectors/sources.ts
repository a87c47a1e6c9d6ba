import type { SourceKinds } from './core/source-kind.ts';
import { otelLog } from './opentelemetry/index.ts';

/** Every kind of source, by its key under `input`. */
export const SOURCES: SourceKinds = {
  otel_log: otelLog,
};
