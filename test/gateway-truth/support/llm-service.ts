import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LlmCase } from './llm-cases.ts';

export interface LlmServiceOptions {
  readonly metering: { readonly ingest_endpoint: string; readonly api_token: string };
  /** Where Kong logs all that it knows of each call. */
  readonly log: string;
  readonly modelsPort: number;
}

/** Has Kong 3.9 count once what comes last of a stream, and say so in its log entry: what the page tells people to use. */
const COUNT_ONCE = luaOf(readFileSync(join(import.meta.dirname, '../../../docs/bill-llm-tokens.md'), 'utf8'));

function luaOf(page: string): string {
  const [, lua] = /^ +body_filter:\n +- \|\n((?: +.*\n)+)```$/m.exec(page) ?? [];
  if (lua === undefined) throw new Error('the page has no function for body_filter any more');
  return lua;
}

export function llmPath(index: number): string {
  return `/llm-${index}-`;
}

/** A service of Kong's configuration whose one route is metered by tokens. */
export function llmService(one: LlmCase, index: number, { metering, log, modelsPort }: LlmServiceOptions): object {
  const [, provider = ''] = one.model.split('/');
  const isAnthropic = provider === 'anthropic';
  const options = {
    upstream_url: `http://127.0.0.1:${modelsPort}${one.model}`,
    max_tokens: 256,
    ...(isAnthropic && { anthropic_version: '2023-06-01' }),
  };
  const proxy = {
    route_type: 'llm/v1/chat',
    auth: { header_name: isAnthropic ? 'x-api-key' : 'authorization', header_value: 'Bearer key-of-the-provider' },
    model: { provider, name: isAnthropic ? 'claude-3-haiku' : 'gpt-4o-mini', options },
    logging: { log_statistics: true, log_payloads: one.withPayload ?? false },
  };
  const usage = {
    ...metering,
    meter_api_requests: false,
    meter_ai_token_usage: true,
    allow_status_codes: ['200-299', '499'],
    subject: { look_up_value_in: 'consumer', field: 'username' },
  };
  return {
    name: `llm-${index}`,
    url: 'http://127.0.0.1:1',
    routes: [{ name: `llm-${index}`, paths: [llmPath(index)] }],
    plugins: [
      { name: 'key-auth' },
      ...(one.isCountedOnce ? [{ name: 'pre-function', config: { body_filter: [COUNT_ONCE] } }] : []),
      { name: 'ai-proxy', config: proxy },
      { name: 'file-log', config: { path: log } },
      { name: 'metering-and-billing', config: usage },
    ],
  };
}
