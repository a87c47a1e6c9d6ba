/** Channels: where something is told, and the secrets that prove who tells it. */
export { channelRoutes } from './routes.ts';
export { type ChannelsDeps, type ChannelsService, createChannelsService } from './service.ts';
