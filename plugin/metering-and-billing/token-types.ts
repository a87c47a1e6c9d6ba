import { countOf, type JsonObject } from './json-values.ts';

/**
 * What tokens were used for: `request` the prompt, `response` the answer. The others are what a provider charges beside
 * these two: prompt tokens read from, or written to, its cache; what a model thought; prompts of its own tools.
 */
export type TokenType = 'request' | 'response' | 'cache_read' | 'cache_write' | 'thoughts' | 'tool_use';

/** Older names first: they are what chat completions carry; the others came with the 3.11 modalities and native formats. */
export const PROMPT_NAMES: readonly string[] = ['prompt_tokens', 'input_tokens'];
export const ANSWER_NAMES: readonly string[] = ['completion_tokens', 'output_tokens'];

/** The first of the names that counts more than nothing; 0 only when none does. */
export function firstCount(usage: JsonObject | undefined, names: readonly string[]): number | undefined {
  const values = names.map((name) => countOf(usage?.[name])).filter((value) => value !== undefined);
  return values.find((value) => value > 0) ?? values[0];
}
