#!/usr/bin/env node
// npm run verify -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runMaintenance } = await import('../backend/maintenance.ts');
process.exitCode = await runMaintenance('verify', process.argv.slice(2));
