import { CURL, type RecordedUsage } from './recorded-usage-shape.ts';

const CHAT_IDS = {
  route_id: 'f2ee2759-b8f9-574d-bec1-3467ab759abc',
  service_id: '0de01612-1738-53e2-a772-7071c32c08b2',
};
const CHAT_REQUEST = {
  ...CURL,
  ...CHAT_IDS,
  request_method: 'POST',
  request_uri: '/chat',
  response_http_status: 200,
  route_name: 'chat-route',
  service_name: 'llm-svc',
  service_port: 9200,
  service_protocol: 'http',
  upstream_status: 200,
};
const CHAT_TOKENS = {
  ...CHAT_IDS,
  ai_plugin_id: 'da2889a1-c914-52df-a800-ac6d55ffda98',
  ai_plugin_name: 'ai-proxy',
  http_status: 200,
  provider: 'openai',
};

interface Chat {
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly promptTokens: number;
  /** None: a stream whose payload was not logged. */
  readonly answerTokens?: number;
  readonly answerModel?: string;
  /** Whether the provider told the numbers: of a stream the gateway reckons them. */
  readonly count: 'reported' | 'estimated';
}

function chat(requestId: string, time: string, call: Chat): RecordedUsage {
  const { requestBytes, responseBytes, promptTokens, answerTokens, answerModel = 'gpt-4o-mini', count } = call;
  const tokens = { ...CHAT_TOKENS, api_request_id: requestId, count };
  const prompt = { ...tokens, model: 'gpt-4o-mini', tokens: promptTokens, type: 'request' };
  const apiRequest = { ...CHAT_REQUEST, request_size_bytes: requestBytes, response_size_bytes: responseBytes };
  const known = { requestId, time, username: 'alice' as const, apiRequest, prompt };
  if (answerTokens === undefined) return { ...known, unknownCounts: 1 };
  return { ...known, answer: { ...tokens, model: answerModel, tokens: answerTokens, type: 'response' } };
}

const STREAM = { requestBytes: 280, responseBytes: 1393, promptTokens: 11, count: 'estimated' } as const;

/** Plain and streamed chat completions, with logged payloads: all counts are known. */
export const CHATS_WITH_PAYLOAD: readonly RecordedUsage[] = [
  // The upstream names the version of the model that answered, and the gateway logs upstream_status as a number.
  chat('64ad5366269eef4879482e4397912d67', '2026-11-21T01:58:40.328Z', {
    requestBytes: 197,
    responseBytes: 621,
    promptTokens: 11,
    answerTokens: 4,
    answerModel: 'gpt-4o-mini-2024',
    count: 'reported',
  }),
  chat('efd25f4069fb392c327ae31fea1e5a36', '2026-11-21T01:58:40.464Z', {
    requestBytes: 211,
    responseBytes: 1200,
    promptTokens: 2,
    answerTokens: 5,
    count: 'estimated',
  }),
  chat('58c36c138d8e9e43ade9433c62d8ea10', '2026-11-21T01:58:40.637Z', {
    requestBytes: 251,
    responseBytes: 1388,
    promptTokens: 2,
    answerTokens: 3,
    count: 'estimated',
  }),
  chat('7e45654fae12811ac1770f05c8a50670', '2026-11-21T02:31:49.290Z', {
    ...STREAM,
    responseBytes: 1394,
    answerTokens: 3,
  }),
  chat('1f1db726f83a9f6831f468789fb8110b', '2026-11-21T02:31:49.620Z', { ...STREAM, answerTokens: 3 }),
  chat('23393661e5fdf535726a96061202694d', '2026-11-21T02:31:49.813Z', { ...STREAM, answerTokens: 3 }),
  chat('34fd067568f96b2845507412fd440148', '2026-11-21T02:31:49.969Z', { ...STREAM, answerTokens: 3 }),
  chat('81067a4d142cc5055310451dd4c97124', '2026-11-21T02:31:50.116Z', { ...STREAM, answerTokens: 3 }),
  chat('432cf508d9af122be1b7f167f8691755', '2026-11-21T02:31:50.241Z', { ...STREAM, answerTokens: 3 }),
  chat('70499a3a7e7f89364f64c74273bf4476', '2026-11-21T02:31:50.367Z', { ...STREAM, answerTokens: 3 }),
  chat('bee54425ee06864f521b10003c2baa74', '2026-11-21T02:31:50.491Z', { ...STREAM, answerTokens: 3 }),
  chat('9d19076a14931f0504d1b064bc36be10', '2026-11-21T02:31:50.622Z', { ...STREAM, answerTokens: 3 }),
  chat('0ccebe6d36c5195d5befcf1b2f07f54e', '2026-11-21T02:31:50.746Z', { ...STREAM, answerTokens: 3 }),
  chat('1bc30f13cd59662241095e1c50c01608', '2026-11-21T02:31:50.872Z', { ...STREAM, answerTokens: 3 }),
  chat('3553d24a8759d22e4d051850b6594c18', '2026-11-21T02:31:51.010Z', { ...STREAM, answerTokens: 3 }),
];

/** Streamed chat completions without logged payloads: the gateway logs completion_tokens 0 for an answer of words. */
export const CHATS_WITHOUT_PAYLOAD: readonly RecordedUsage[] = [
  chat('e8d0c46f7969b542e10227767f169d03', '2026-11-21T02:31:41.341Z', STREAM),
  chat('3e8a94746773fc755de24465cc55802f', '2026-11-21T02:31:41.462Z', STREAM),
  chat('5e0eaf085c1c5205cd0d943145e33e79', '2026-11-21T02:31:41.581Z', STREAM),
  chat('1042a1025c69615fc48c02525f519004', '2026-11-21T02:31:41.696Z', STREAM),
  chat('6eee8355819c727f39f149110ce24f2a', '2026-11-21T02:31:41.815Z', STREAM),
  chat('a7de23210cb76b663807ef369a894a63', '2026-11-21T02:31:41.933Z', STREAM),
  chat('2eb3fa4ca623e5160b72a865bf3aa64d', '2026-11-21T02:31:42.049Z', STREAM),
  chat('3e551033326def231bd01e4c2626d522', '2026-11-21T02:31:42.165Z', STREAM),
  chat('acd6a466fcd24542a53c7226ea60395b', '2026-11-21T02:31:42.281Z', STREAM),
  chat('63464238021fb70bb6b6b90ac154f140', '2026-11-21T02:31:42.406Z', STREAM),
  chat('5e3b091184c44d3c0638303a6f7daa13', '2026-11-21T02:31:42.539Z', STREAM),
  chat('e02daf1bcac4320ccece3a184e1c3371', '2026-11-21T02:31:42.706Z', STREAM),
];
