#!/usr/bin/env node
// Serves a plugin to Kong over ProtoBuf:1: kong-plugin-server.js --plugin FILE_OR_FOLDER --socket PATH
import { requireNode } from './require-node.js';

requireNode();
const { main } = await import('../plugin/host/main.ts');
await main(process.argv.slice(2));
