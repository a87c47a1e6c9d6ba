#!/usr/bin/env node
// Runs the whole chain on recorded gateway traffic: npm run demo.
import { parseArgs } from 'node:util';
import { requireNode } from './require-node.js';

requireNode();
const { demo } = await import('../demo/demo.ts');
const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, 'data-dir': { type: 'string' } },
});
await demo({ once: values.once, dataDir: values['data-dir'], databaseUrl: process.env.DATABASE_URL || undefined });
