import type { GatewayProperty } from './attributes.ts';
import { objectOf, textOf } from './json-values.ts';
import type { LogEntry } from './log-entry.ts';
import type { AiCall, TokenCount } from './token-counts.ts';

/** The data of a `kong.llm_request` event; what the gateway does not know is `undefined` and so left out of the JSON. */
export type LlmRequestData = { readonly [Property in GatewayProperty]?: string | number | undefined };

/** What is billed for the prompt, or for the answer, of one AI call. */
export function llmRequestData(
  entry: LogEntry,
  subjectType: string,
  { meta, pluginName, cacheStatus }: AiCall,
  { direction, tokens }: TokenCount,
): LlmRequestData {
  return {
    ai_plugin_id: textOf(meta['plugin_id']),
    ai_plugin_name: pluginName,
    api_request_id: entry.requestId,
    cache_status: cacheStatus,
    http_status: entry.status,
    model: textOf(meta[direction === 'request' ? 'request_model' : 'response_model']),
    provider: textOf(meta['provider_name']),
    route_id: textOf(objectOf(entry.fields['route'])?.['id']),
    service_id: textOf(objectOf(entry.fields['service'])?.['id']),
    subject_type: subjectType,
    tokens,
    type: direction,
  };
}
