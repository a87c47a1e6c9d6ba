export { accessTokenRoutes } from './routes.ts';
export { type AccessTokens, type ConfiguredToken, createAccessTokens } from './service.ts';
