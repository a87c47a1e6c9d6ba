#!/usr/bin/env node
// npm run config-check -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runConfigCheck } = await import('../backend/config-check.ts');
process.exitCode = runConfigCheck(process.argv.slice(2));
