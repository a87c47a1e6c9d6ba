import { type JsonObject, objectOf } from '../metering-and-billing/json-values.ts';
import type { DecisionSettings } from './config.ts';
import type { Kong } from './customer.ts';

/** English text has four bytes for a token, code and other languages fewer. */
const BYTES_PER_TOKEN = 3;

/** How the APIs of models name the most tokens that an answer may have. */
const LIMITS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;
const NESTED = [
  ['generationConfig', 'maxOutputTokens'],
  ['inferenceConfig', 'maxTokens'],
] as const;

/** What a request is held to use; a body that Kong keeps in a file is measured by its length. */
export async function findTokens({ unitsPerRequest = 0 }: DecisionSettings, kong: Kong): Promise<number> {
  const body = await kong.request.getRawBody().catch(() => undefined);
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : body;
  if (typeof text === 'string') return tokensToHold(text, unitsPerRequest);
  const length = Number.parseInt(String(await kong.request.getHeader('content-length')), 10);
  return promptTokens(length > 0 ? length : 0) + unitsPerRequest;
}

function promptTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/**
 * What is set aside for a call of a model until its tokens are known: an estimate of the prompt, and all that its answer
 * may have.
 * @param body as the client sent it
 * @param otherwise for an answer that the client has not limited
 */
function tokensToHold(body: string, otherwise: number): number {
  return promptTokens(Buffer.byteLength(body)) + (limitOf(body) ?? otherwise);
}

function limitOf(body: string): number | undefined {
  let request: JsonObject | undefined;
  try {
    request = objectOf(JSON.parse(body));
  } catch {
    return undefined;
  }
  const nested = NESTED.map(([group, name]) => objectOf(request?.[group])?.[name]);
  return [...LIMITS.map((name) => request?.[name]), ...nested].find(
    (limit): limit is number => typeof limit === 'number' && limit >= 0 && Number.isFinite(limit),
  );
}
