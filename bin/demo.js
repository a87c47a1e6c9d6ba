#!/usr/bin/env node
// Runs the whole chain on recorded gateway traffic: npm run demo.
import { requireNode } from './require-node.js';

requireNode();
const { demo } = await import('../demo/demo.ts');
await demo({ once: process.argv.includes('--once') });
