import type { AiCall } from './ai-calls.ts';
import type { GatewayProperty } from './attributes.ts';
import { objectOf, textOf } from './json-values.ts';
import type { LogEntry } from './log-entry.ts';
import type { TokenCount, TokenType } from './token-counts.ts';

/** The data of a `kong.llm_request` event; what the gateway does not know is `undefined` and so left out of the JSON. */
export type LlmRequestData = { readonly [Property in GatewayProperty]?: string | number | undefined };

/** Of which model the tokens are: what was asked of the one that was named, or what the one that answered made. */
const MODEL_FIELDS: Readonly<Record<TokenType, 'request_model' | 'response_model'>> = {
  request: 'request_model',
  response: 'response_model',
  cache_read: 'request_model',
  cache_write: 'request_model',
  thoughts: 'response_model',
  tool_use: 'request_model',
};

/** What is billed for the tokens of one type of one AI call. */
export function llmRequestData(
  entry: LogEntry,
  subjectType: string,
  { meta, pluginName, cacheStatus }: AiCall,
  { type, tokens, count }: TokenCount,
): LlmRequestData {
  return {
    ai_plugin_id: textOf(meta['plugin_id']),
    ai_plugin_name: pluginName,
    api_request_id: entry.requestId,
    cache_status: cacheStatus,
    count,
    http_status: entry.status,
    model: textOf(meta[MODEL_FIELDS[type]]),
    provider: textOf(meta['provider_name']),
    route_id: textOf(objectOf(entry.fields['route'])?.['id']),
    service_id: textOf(objectOf(entry.fields['service'])?.['id']),
    subject_type: subjectType,
    tokens,
    type,
  };
}
