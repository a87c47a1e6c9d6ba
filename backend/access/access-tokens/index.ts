export type { ConfiguredToken } from './known-tokens.ts';
export { accessTokenRoutes } from './routes.ts';
export { type AccessTokens, createAccessTokens } from './service.ts';
