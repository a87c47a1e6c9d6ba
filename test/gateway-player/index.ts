export { kongConfig, type PluginIdentity } from './kong-config.ts';
export { applySchema, SchemaViolation } from './kong-schema.ts';
export { connectPlayer, connectProtobufPlayer, createPlayer, type Player } from './player.ts';
export { PLUGIN_SERVER, type PluginServerOptions, startPluginServer } from './plugin-server.ts';
export type { PdkAnswer, PluginServerProtocol } from './plugin-server-protocol.ts';
export { createProtobufProtocol } from './protobuf-protocol.ts';
export { type Recording, recording, recordings, type Variation, vary } from './recordings.ts';
export type { Exit, PluginServer } from './running-server.ts';
export { STOCK_SERVER, type StockPluginServerOptions, startStockPluginServer } from './stock-plugin-server.ts';
