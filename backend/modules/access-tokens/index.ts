export { type AccessTokens, type ConfiguredToken, createAccessTokens } from './service.ts';
