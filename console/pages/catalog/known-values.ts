/** Providers as Kong's AI plugins log them: in lower case. */
const AI_PROVIDERS = [
  'anthropic',
  'azure',
  'bedrock',
  'cohere',
  'gemini',
  'huggingface',
  'llama2',
  'mistral',
  'openai',
];

/**
 * Values that a dimension of the gateway's own events is known to have before any event was seen. Without them a filter
 * that was typed as "OpenAI" would never match.
 */
export function knownValues(eventType: string, dimension: string): readonly string[] {
  return eventType === 'kong.llm_request' && dimension === 'provider' ? AI_PROVIDERS : [];
}
