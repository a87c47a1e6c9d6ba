export { kongConfig, type PluginIdentity } from './kong-config.ts';
export { applySchema, SchemaViolation } from './kong-schema.ts';
export { connectPlayer, createPlayer, type Player } from './player.ts';
export type { PdkAnswer, PluginServerProtocol } from './plugin-server-protocol.ts';
export { type Recording, recording, recordings, type Variation, vary } from './recordings.ts';
export {
  type Exit,
  type PluginServer,
  STOCK_SERVER,
  type StockPluginServerOptions,
  startStockPluginServer,
} from './stock-plugin-server.ts';
