#!/usr/bin/env node
// Starts the backend: npm start.
import { requireNode } from './require-node.js';

requireNode();
const { main } = await import('../backend/main.ts');
await main();
