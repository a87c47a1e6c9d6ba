#!/usr/bin/env node
// npm run backup -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runMaintenance } = await import('../backend/maintenance.ts');
process.exitCode = await runMaintenance('backup', process.argv.slice(2));
