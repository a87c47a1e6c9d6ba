import type { SourceKinds } from './core/source-kind.ts';
import { schedule } from './kubernetes/index.ts';
import { otelLog } from './opentelemetry/index.ts';
import { prometheus } from './prometheus/index.ts';
import { runAi } from './runai/index.ts';
import { awsS3 } from './s3/index.ts';

/** Every kind of source, by its key under `input`. */
export const SOURCES: SourceKinds = {
  aws_s3: awsS3,
  otel_log: otelLog,
  prometheus,
  run_ai: runAi,
  schedule,
};
